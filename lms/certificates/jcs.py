"""JSON Canonicalization Scheme (RFC 8785): one text for one JSON value."""

from __future__ import annotations

import json
import math
from typing import Any

MOST_SAFE = 2**53


class NotCanonical(Exception):
    """A value that has no one text everywhere, such as an integer beyond 2^53."""


def canonical_json(value: Any) -> str:
    """The canonical text. Raises NotCanonical."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_text(k)}:{canonical_json(v)}" for k, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _number(value)


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise NotCanonical from None
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    if isinstance(value, int):
        if abs(value) > MOST_SAFE:
            raise NotCanonical
        return str(value)
    if not math.isfinite(value):
        raise NotCanonical
    if value.is_integer() and abs(value) <= MOST_SAFE:
        return str(int(value))
    text = repr(value)
    if "e" in text:
        raise NotCanonical
    return text
