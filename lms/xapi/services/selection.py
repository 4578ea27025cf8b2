"""Which statements an administrator means: by verb, by what they are about, by where they began.

Forwarding and retention choose in the same way.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol, Self

from sqlalchemy import ColumnElement, select

from lms.xapi.collections import statement_collections
from lms.xapi.models import StoredStatement
from lms.xapi.services.access import Access, Limit, within_reach


class _Columns(Protocol):
    verbs: list[str]
    limit_kind: str | None
    limit_value: uuid.UUID | None
    is_own_only: bool


@dataclass(frozen=True)
class Selection:
    """Statements with one of the verbs (IRIs; none: all), inside the limit, of Puente alone or all.

    limit: name of a collection of statements, and one of its members.
    """

    verbs: tuple[str, ...] = ()
    limit: tuple[str, uuid.UUID] | None = None
    is_own_only: bool = False

    @classmethod
    def of(cls, row: _Columns) -> Self:
        """What the columns of a row say."""
        limit = None
        if row.limit_kind is not None and row.limit_value is not None:
            limit = (row.limit_kind, row.limit_value)
        return cls(tuple(row.verbs), limit, row.is_own_only)

    def keep_in(self, row: _Columns) -> None:
        """Write it into the columns of a row."""
        row.verbs, row.is_own_only = list(self.verbs), self.is_own_only
        row.limit_kind, row.limit_value = self.limit or (None, None)

    @property
    def is_known(self) -> bool:
        """Whether a plugin knows what it is limited to; if none does, no statement fits."""
        return self.limit is None or self.limit[0] in statement_collections

    def conditions(self) -> list[ColumnElement[bool]]:
        """What it asks of a statement; all of them hold for those that fit."""
        asked: list[ColumnElement[bool]] = []
        if self.verbs:
            asked.append(StoredStatement.verb_id.in_(self.verbs))
        if self.is_own_only:
            asked.append(StoredStatement.key_id.is_(None))
        if self.limit is not None:
            kind, value = self.limit
            collection = statement_collections.get(kind)
            limit = Limit(
                kind, value, frozenset(collection.activities(value) if collection else ())
            )
            reach = Access(None, "", "", frozenset(), limit=limit)
            inside = within_reach(select(StoredStatement.id), reach).whereclause
            if inside is not None:
                asked.append(inside)
        return asked
