"""Figures that no one person can be read from: nothing under five people, nor by subtraction.

A row is shown when each of its counts, and each difference between two steps that follow one
another, is nought or at least five. Rows that cannot be shown are put together into one, with the
smallest of the others until that one can be shown too; so the total gives nothing away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

FEWEST = 5


@dataclass(frozen=True)
class Row:
    """counts: people, from the widest step to the narrowest. amounts: minor units.

    label: "" for the rows that were put together.
    """

    label: str
    counts: tuple[int, ...]
    amounts: tuple[int, ...] = ()


def is_safe(counts: Sequence[int]) -> bool:
    """Whether no count and no difference of neighbours is of one to four people."""
    gaps = [abs(a - b) for a, b in pairwise(counts)]
    return all(number == 0 or number >= FEWEST for number in (*counts, *gaps))


def together(rows: Sequence[Row]) -> Row:
    """Several rows as one."""
    return Row(
        "",
        tuple(map(sum, zip(*(row.counts for row in rows), strict=True))),
        tuple(map(sum, zip(*(row.amounts for row in rows), strict=True))),
    )


def safe_rows(rows: Sequence[Row]) -> list[Row] | None:
    """The rows that can be shown, the others put together at the end; None: too few people."""
    shown = [row for row in rows if is_safe(row.counts)]
    hidden = [row for row in rows if not is_safe(row.counts)]
    shown.sort(key=lambda row: (-row.counts[0], row.label))
    while hidden and not is_safe(together(hidden).counts):
        if not shown:
            return None
        hidden.append(shown.pop())
    return [*sorted(shown, key=lambda row: row.label), *([together(hidden)] if hidden else [])]
