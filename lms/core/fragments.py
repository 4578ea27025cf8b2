"""Pieces of pages that are drawn once and kept in memory, for pages with many like pieces.

A piece is found by all that it is made of, so it is never stale: what changes has another key.
Where that is too much to ask for, the key holds a stamp: see `lms.core.stamps`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from flask import request
from flask_babel import get_timezone
from markupsafe import Markup

from lms.core.text import present_locale

MOST = 50_000  # pieces in each process; then the oldest go
ROOM = 32_000_000  # signs of all pieces in each process; then the oldest go

T = TypeVar("T")

_kept: dict[Hashable, tuple[Any, int]] = {}
_room_taken = 0


def reader_key() -> Hashable:
    """What texts, times and addresses depend on: language, time zone, place of the site."""
    return str(present_locale()), str(get_timezone()), request.script_root


def find_kept(key: Hashable) -> Any:
    """What is kept under this key; None when nothing is."""
    found = _kept.get(key)
    return found[0] if found is not None else None


def keep(key: Hashable, value: T, size: int) -> T:
    """Keep a value of about `size` signs under a key that holds everything it depends on."""
    global _room_taken
    while _kept and (len(_kept) >= MOST or _room_taken + size > ROOM):
        oldest = _kept.pop(next(iter(_kept), None), None)
        _room_taken -= oldest[1] if oldest is not None else 0
    _kept[key] = value, size
    _room_taken += size
    return value


def keep_fragment(key: Hashable, draw: Callable[..., str], *values: object) -> Markup:
    """What `draw(*values)` gives, drawn only when there is no piece with this key.

    The key must hold everything that the piece shows; see `reader_key`. No piece may hold a CSRF
    token or anything else of one session.
    """
    found = find_kept(key)
    if found is None:
        found = Markup(draw(*values))  # noqa: S704 - templates have escaped it
        keep(key, found, len(found))
    return cast(Markup, found)
