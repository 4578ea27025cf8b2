"""Lists in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select

from lms.core.db import db

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a longer list; `number` counts from 1."""

    items: Sequence[T]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """Position of the page's first item, counted from 1; 0 when there is none."""
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last(self) -> int:
        """Position of the page's last item."""
        return self.first + len(self.items) - 1 if self.items else 0


def paginate(
    statement: Select[*tuple[Any, ...]],
    number: int,
    size: int = 25,
    scalars: bool = True,
    counted: Select[*tuple[Any, ...]] | None = None,
) -> Page[Any]:
    """Run `statement` for one page: two queries, whatever the length of the list.

    counted: a simpler statement with as many rows, for long lists of many columns.
    """
    if counted is None:
        counted = statement.order_by(None).options()
    total = db.session.scalar(select(func.count()).select_from(counted.subquery())) or 0
    last = max(1, -(-total // size))
    number = min(max(1, number), last)
    rows = db.session.execute(statement.limit(size).offset((number - 1) * size))
    items = rows.unique().scalars().all() if scalars else rows.all()
    return Page(items, number, size, total)
