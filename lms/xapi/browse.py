"""Statements as people look for them: filters, and pages that cost the same at any depth.

Every question walks one index in the order of primary keys, and reads no more than it shows:
no offset and no count. Primary keys and `stored` grow together (`services.store`), so that a span
of time is a span of keys.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from lms.accounts.models import User
from lms.core.db import db
from lms.core.settings import settings
from lms.core.text import fold
from lms.xapi import vocabulary
from lms.xapi.lookup import By, agent_key, lookup_key
from lms.xapi.models.statements import StatementKey, StoredStatement

PAGE_SIZE = 25
_MOST_PEOPLE = 50  # that a name stands for
_MOST_VERBS = 200
_LONG_WALK = 2000  # entries of an index
_AGENT_KINDS = ("account:", "mbox:", "sha1:", "openid:")


@dataclass(frozen=True)
class Wanted:
    """Which statements to show; what is None does not matter. Voided ones are never shown.

    actors: identifiers as in `lookup.agent_key`, any of which fits; none fits when empty.
    activity: an IRI that is the object or stands in the context. collection: IRIs, the same, any
    of which fits: those of a course run. since and until: on `stored`, the latter left out.
    """

    actors: tuple[str, ...] | None = None
    verb: str | None = None
    activity: str | None = None
    collection: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class StatementPage:
    """Statements, newest first, with the keys that lead to the neighbouring pages."""

    rows: Sequence[StoredStatement]
    newer_after: int | None
    older_before: int | None


def _is_under(keys: Sequence[int]) -> ColumnElement[bool]:
    """Whether a statement is found under one of these numbers."""
    also = aliased(StatementKey)
    return (
        select(also.statement_pk)
        .where(also.statement_pk == StoredStatement.id, also.key.in_(keys))
        .exists()
    )


def _conditions(wanted: Wanted) -> list[list[int]]:
    """The numbers of each condition, any of which fits it; the condition that fits least first."""
    found: list[list[int]] = []
    if wanted.actors is not None:
        found.append([lookup_key(By.AGENT, actor) for actor in wanted.actors])
    if wanted.activity is not None:
        found.append([lookup_key(By.RELATED_ACTIVITY, wanted.activity)])
    if wanted.collection is not None:
        found.append([lookup_key(By.RELATED_ACTIVITY, iri) for iri in wanted.collection])
    if wanted.verb is not None:
        found.append([lookup_key(By.VERB, wanted.verb)])
    if len(found) < 2 or not all(found):
        return sorted(found, key=len)
    sizes = db.session.execute(select(*(_size(keys) for keys in found))).one()
    return [keys for _size, keys in sorted(zip(sizes, found, strict=True), key=lambda one: one[0])]


def _size(keys: Sequence[int]) -> ScalarSelect[int]:
    """How many entries stand under these numbers, counted no further than is of use."""
    some = select(StatementKey.statement_pk).where(StatementKey.key.in_(keys)).limit(_LONG_WALK)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()


def _walks(wanted: Wanted) -> Iterator[tuple[InstrumentedAttribute[int], Select[int]]]:
    """One select for each stretch of an index to walk, with the column that gives its order."""
    found = select(StoredStatement.id).where(~StoredStatement.is_voided)
    if wanted.since is not None:
        found = found.where(StoredStatement.stored >= wanted.since)
    if wanted.until is not None:
        found = found.where(StoredStatement.stored < wanted.until)
    conditions = _conditions(wanted)
    if not conditions:
        yield StoredStatement.id, found
        return
    for keys in conditions[1:]:
        found = found.where(_is_under(keys))
    found = found.join(StatementKey, StatementKey.statement_pk == StoredStatement.id)
    for key in conditions[0]:
        yield StatementKey.statement_pk, found.where(StatementKey.key == key)


def _bounds(wanted: Wanted) -> tuple[int | None, int | None]:
    """The span of primary keys in which the span of time lies; None where it is open."""
    first = last = None
    if wanted.since is not None:
        later = select(StoredStatement.id).where(StoredStatement.stored >= wanted.since)
        first = db.session.scalar(later.order_by(StoredStatement.stored).limit(1))
        first = first if first is not None else 0x7FFF_FFFF_FFFF_FFFF
    if wanted.until is not None:
        earlier = select(StoredStatement.id).where(StoredStatement.stored < wanted.until)
        last = db.session.scalar(earlier.order_by(StoredStatement.stored.desc()).limit(1)) or 0
    return first, last


def _statement_keys(
    wanted: Wanted, first: int | None, last: int | None, limit: int, ascending: bool
) -> Select[int] | None:
    """The next primary keys from `first` to `last`; None when nothing can fit."""
    parts = []
    for order, walk in _walks(wanted):
        # both sides of the join are bounded: PostgreSQL may walk either, or both at once
        if first is not None:
            walk = walk.where(order >= first, StoredStatement.id >= first)
        if last is not None:
            walk = walk.where(order <= last, StoredStatement.id <= last)
        walk = walk.order_by(order.asc() if ascending else order.desc()).limit(limit)
        parts.append(select(walk.subquery().c.id))
    if not parts:
        return None
    merged = union_all(*parts).subquery()
    column = merged.c.id
    chosen: Select[int] = (
        select(column).distinct().order_by(column.asc() if ascending else column.desc())
    )
    return chosen.limit(limit)


def read_page(
    wanted: Wanted, *, before: int | None = None, after: int | None = None, size: int = PAGE_SIZE
) -> StatementPage:
    """The newest statements that fit; those below the key `before`, or next above `after`."""
    first, last = _bounds(wanted)
    if before is not None:
        last = before - 1 if last is None else min(last, before - 1)
    if after is not None:
        first = after + 1 if first is None else max(first, after + 1)
    ascending = after is not None
    chosen = _statement_keys(wanted, first, last, size + 1, ascending)
    if chosen is None:
        return StatementPage([], None, None)
    found = select(StoredStatement).where(StoredStatement.id.in_(chosen))
    order = StoredStatement.id.asc() if ascending else StoredStatement.id.desc()
    rows = list(db.session.scalars(found.order_by(order)))
    has_more = len(rows) > size
    rows = rows[:size]
    if ascending:
        rows.reverse()
    has_newer = has_more if ascending else before is not None
    has_older = has_more if not ascending else True
    return StatementPage(
        rows,
        rows[0].id if rows and has_newer else None,
        rows[-1].id if rows and has_older else None,
    )


def newest_key() -> int:
    """The primary key of the newest statement; 0 in an empty store."""
    return db.session.scalar(select(func.max(StoredStatement.id))) or 0


def read_documents(
    wanted: Wanted, after: int, up_to: int, limit: int
) -> Sequence[tuple[int, datetime, str]]:
    """Key, instant of storing and JSON of the next statements, oldest first."""
    first, last = _bounds(wanted)
    first = max(first or 0, after + 1)
    last = up_to if last is None else min(last, up_to)
    chosen = _statement_keys(wanted, first, last, limit, ascending=True)
    if chosen is None:
        return []
    rows = db.session.execute(
        select(StoredStatement.id, StoredStatement.stored, StoredStatement.document)
        .where(StoredStatement.id.in_(chosen))
        .order_by(StoredStatement.id)
    )
    return [(key, stored, document) for key, stored, document in rows]


def list_verbs() -> Sequence[str]:
    """The IRIs of all verbs in the store: one look at the index for each, not for each row."""
    column = StoredStatement.verb_id
    verbs = select(func.min(column).label("verb_id")).cte("verbs", recursive=True)
    following = select(func.min(column)).where(column > verbs.c.verb_id).scalar_subquery()
    verbs = verbs.union_all(select(following).where(verbs.c.verb_id.is_not(None)))
    found = select(verbs.c.verb_id).where(verbs.c.verb_id.is_not(None)).limit(_MOST_VERBS)
    return db.session.scalars(found).all()


def actors_named(text: str) -> tuple[str, ...]:
    """The identifiers of whom a text stands for: an identifier, an address, a name or part of it.

    People without an account are found by their address or identifier alone.
    """
    text = text.strip()
    if text.startswith(_AGENT_KINDS):
        return (text,)
    users = select(User).order_by(User.id).limit(_MOST_PEOPLE)
    if "@" in text:
        users = users.where(User.email_folded == text.casefold())
    else:
        for word in fold(text).split()[:8]:
            users = users.where(User.search_text.contains(word, autoescape=True))
    found = [agent_key(vocabulary.actor(user)) for user in db.session.scalars(users)]
    if "@" in text:
        found.append(f"mbox:mailto:{text}")
    return tuple(key for key in found if key is not None)


def people_of(rows: Sequence[StoredStatement]) -> dict[str, User]:
    """The users who act in some statements, by their identifiers."""
    prefix = f"account:{settings().base_url}|"
    own = {row.actor_key for row in rows if row.actor_key.startswith(prefix)}
    names = [name for name in (_uuid(key.removeprefix(prefix)) for key in own) if name is not None]
    if not names:
        return {}
    users = db.session.scalars(select(User).where(User.uuid.in_(names)))
    return {f"{prefix}{user.uuid}": user for user in users}


def _uuid(text: str) -> Any:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
