"""Choices of select fields, in the shape that WTForms wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]


def choices(pairs: Iterable[tuple[str, Any]], group: str | None = None) -> list[Any]:
    """Pairs of value and label; `group` is the heading under which they stand."""
    return [SelectChoice(value, label, optgroup=group) for value, label in pairs]


def grouped_choices(groups: Mapping[str, Iterable[tuple[str, Any]]]) -> list[Any]:
    """Pairs of value and label by heading."""
    return [one for group, pairs in groups.items() for one in choices(pairs, group)]
