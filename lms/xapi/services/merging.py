"""Merging JSON documents without changing a byte of any value (xAPI 1.0.3, part three, 2.2)."""

from __future__ import annotations

import json
import re
from typing import Any

from lms.xapi.errors import NotMergeable

_BLANKS = re.compile(r"[ \t\n\r]*")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")


# numbers stay text: they are never counted with, and some are larger than Python reads
_DECODER = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_once
)


def _after_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found else position


def members_of(document: bytes, which: str) -> dict[str, str]:
    """The members of a JSON object: name -> the text of name and value as it was sent.

    which: "sent" or "stored", for the message. Raises NotMergeable for all that is no object.
    """
    try:
        text = document.decode()
        is_object = isinstance(_DECODER.decode(text), dict)
    except (ValueError, RecursionError) as error:
        raise NotMergeable(which, f"it is not valid JSON: {error}") from None
    if not is_object:
        raise NotMergeable(which, "it is JSON, but not an object")
    found: dict[str, str] = {}
    position = _after_blanks(text, text.index("{") + 1)
    while text[position] != "}":
        name, end = _DECODER.raw_decode(text, position)
        value = _after_blanks(text, text.index(":", end) + 1)
        _, end = _DECODER.raw_decode(text, value)
        found[name] = text[position:end]
        position = _after_blanks(text, end)
        if text[position] == ",":
            position = _after_blanks(text, position + 1)
    return found


def merge(stored: bytes, sent: bytes) -> bytes:
    """Both objects in one; a member that both have is taken whole from the one sent."""
    merged = members_of(stored, "stored") | members_of(sent, "sent")
    return f"{{{','.join(merged.values())}}}".encode()
