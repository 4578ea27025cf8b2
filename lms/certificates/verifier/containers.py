"""Credentials baked into pictures (Open Badges 3.0, section 5.3): PNG and SVG."""

from __future__ import annotations

import struct
from xml.parsers import expat

PNG = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_MOST_CHUNKS = 10_000


class NothingBaked(Exception):
    """The picture holds no credential, two of them, or is not such a picture."""


def read_png(content: bytes) -> str:
    """The text of the one iTXt chunk with the keyword (5.3.1.1). Raises NothingBaked."""
    found: list[bytes] = []
    place = len(PNG)
    if not content.startswith(PNG):
        raise NothingBaked
    for _number in range(_MOST_CHUNKS):
        head = content[place : place + 8]
        if len(head) < 8:
            raise NothingBaked
        size, kind = struct.unpack(">I4s", head)
        data = content[place + 8 : place + 8 + size]
        place += size + 12
        if len(data) < size or place > len(content):
            raise NothingBaked
        if kind == b"IEND":
            break
        if kind == b"iTXt" and data.startswith(KEYWORD + b"\0"):
            found.append(data)
    if len(found) != 1:
        raise NothingBaked
    return _text_of(found[0][len(KEYWORD) + 1 :])


def _text_of(rest: bytes) -> str:
    """The text after the keyword: flag, method, language, translated keyword, then the text."""
    parts = rest[2:].split(b"\0", 2)
    if rest[:1] != b"\0" or len(parts) != 3:  # compressed text is not allowed here
        raise NothingBaked
    try:
        return parts[2].decode()
    except UnicodeDecodeError:
        raise NothingBaked from None


def read_svg(content: bytes) -> str:
    """The credential in the element `openbadges:credential` (5.3.2.1). Raises NothingBaked.

    A document type is refused, and with it every entity.
    """
    reader = _SvgReader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ExternalEntityRefHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise NothingBaked from None
    if len(reader.found) != 1:
        raise NothingBaked
    return reader.found[0].strip()


class _SvgReader:
    """Notes what stands in elements `credential`."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.is_inside = False
        self.depth = 0

    def refuse(self, *_declared: object) -> int:
        raise NothingBaked

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth == 1 and name not in ("http://www.w3.org/2000/svg svg", "svg"):
            raise NothingBaked
        if self.is_inside:
            raise NothingBaked
        if name == f"{NAMESPACE} credential":
            self.is_inside = True
            self.found.append(attributes.get("verify", ""))

    def end(self, name: str) -> None:
        self.depth -= 1
        if name == f"{NAMESPACE} credential":
            self.is_inside = False

    def text(self, text: str) -> None:
        if self.is_inside:
            self.found[-1] += text
