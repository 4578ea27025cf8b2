"""Credentials inside pictures (Open Badges 3.0, 5.3: baked badges).

PNG: one chunk iTXt with the keyword `openbadgecredential`, not compressed, right after the header.
SVG: an element `openbadges:credential` as the first child, its content in CDATA.
"""

from __future__ import annotations

import struct
import zlib

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"


def bake_png(picture: bytes, credential: str) -> bytes:
    """The PNG with the credential in it."""
    header_end = len(PNG_SIGNATURE) + 8 + 13 + 4  # IHDR: length and name, data, checksum
    text = KEYWORD + b"\0\0\0\0\0" + credential.encode()
    return picture[:header_end] + _chunk(b"iTXt", text) + picture[header_end:]


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def bake_svg(picture: str, credential: str) -> str:
    """The SVG with the credential, JSON, in it."""
    start = picture.index(">", picture.index("<svg"))
    inside = credential.replace("]]>", "]]]]><![CDATA[>")
    return (
        f'{picture[:start]} xmlns:openbadges="{NAMESPACE}">'
        f"<openbadges:credential><![CDATA[{inside}]]></openbadges:credential>"
        f"{picture[start + 1 :]}"
    )
