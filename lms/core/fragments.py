"""Pieces of pages that are drawn once and kept in memory, for pages with many like pieces.

A piece is found by all that it is made of, so it is never stale: what changes has another key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from flask import request
from flask_babel import get_timezone
from markupsafe import Markup

from lms.core.text import present_locale

MOST = 10_000  # pieces in each process; then the oldest go

_kept: dict[Hashable, Markup] = {}


def reader_key() -> Hashable:
    """What texts, times and addresses depend on: language, time zone, place of the site."""
    return str(present_locale()), str(get_timezone()), request.script_root


def keep_fragment(key: Hashable, draw: Callable[..., Markup], *values: object) -> Markup:
    """What `draw(*values)` gives, drawn only when there is no piece with this key.

    The key must hold everything that the piece shows; see `reader_key`. No piece may hold a CSRF
    token or anything else of one session.
    """
    found = _kept.get(key)
    if found is None:
        found = draw(*values)
        while len(_kept) >= MOST:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = found
    return found
