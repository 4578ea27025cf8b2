"""JSON that strangers send: bounded, not nested deeply, no member twice."""

from __future__ import annotations

import json
from typing import Any

import orjson

LARGEST = 256 * 1024  # bytes
MAX_DEPTH = 24


class BadJson(Exception):
    """A text is no object of JSON that may be read."""


def read_object(content: bytes, largest: int = LARGEST) -> dict[str, Any]:
    """An object of JSON without tricks. Raises BadJson."""
    found = read_value(content, largest)
    if not isinstance(found, dict):
        raise BadJson
    return found


def read_value(content: bytes, largest: int = LARGEST) -> Any:
    """A value of JSON without tricks. Raises BadJson."""
    if len(content) > largest:
        raise BadJson
    try:
        orjson.loads(content)  # strict: no NaN, valid UTF-8
        found = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise BadJson from None
    if _depth(found) > MAX_DEPTH:
        raise BadJson
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands there twice")
    return found


def _depth(value: Any, depth: int = 1) -> int:
    if depth > MAX_DEPTH:
        return depth
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_depth(item, depth + 1) for item in items), default=depth)
