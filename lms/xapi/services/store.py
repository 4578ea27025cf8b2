"""The one place where statements enter the store."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from lms.core import clock
from lms.core.db import db
from lms.xapi.json_text import Sent, sent
from lms.xapi.lookup import (
    By,
    agent_key,
    lookup_key,
    object_key,
    related_activities,
    related_agents,
)
from lms.xapi.models import StoredStatement, StoreOrder
from lms.xapi.services.activities import (
    ACTIVITY_COLUMNS,
    asking_definitions,
    learn,
    read_definitions,
    unfamiliar,
)
from lms.xapi.services.chains import KEY_COLUMNS, Link, inherit, pass_on, waiting_for
from lms.xapi.services.preparing import Ready, make_ready
from lms.xapi.services.rows import Query, insert_rows, insert_together, run_each, selection
from lms.xapi.services.voiding import void
from lms.xapi.validation import VOIDED

__all__ = [
    "VOIDED",
    "agent_key",
    "object_key",
    "related_activities",
    "related_agents",
    "store_statements",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TAKE = (
    "UPDATE xapi_store_order SET last_pk = last_pk + ?, last_stored ="
    " CASE WHEN last_stored < ? THEN ? ELSE last_stored + ? END"
    " WHERE id = 1 RETURNING last_pk, last_stored, activities_version"
)
_COLUMNS = {
    "id": int,
    "statement_id": uuid.UUID,
    "stored": datetime,
    "timestamp": datetime,
    "actor_key": str,
    "verb_id": str,
    "object_key": str,
    "registration": uuid.UUID,
    "is_voided": bool,
    "key_id": int,
    "document": str,
}


@dataclass(frozen=True, slots=True)
class Order:
    """Places in the order of commit: the first primary key and instant of a number of them."""

    first_pk: int
    first_stored: datetime
    activities_version: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn to write: places in the order, and what the store knows of the new statements.

    known: texts of statements with ids that were asked for. waiting: rows of `chains.waiting_for`.
    definitions: as for `activities.learn`.
    """

    place: Order
    known: Mapping[uuid.UUID, str]
    waiting: Sequence[tuple[Any, ...]]
    definitions: Mapping[str, Mapping[str, Any] | None]


def begin_writing(
    ready: Sequence[Ready], ids: Collection[uuid.UUID], given: Collection[uuid.UUID]
) -> Begun:
    """Take the next places in the order of commit, and keep others from it until then.

    All writers change one row, which locks it until the end of the transaction on PostgreSQL; on
    SQLite there is one writer at a time anyway. So `id` and `stored` grow in the order of commit,
    and readers that poll with `since` miss nothing. To be called as late as possible.

    ids: those that may be in the store already. given: those that others may have named before.
    """
    now, count = (clock.now() - _EPOCH) // _MICROSECOND, len(ready)
    iris = unfamiliar(one.value for one in ready).keys()
    take = Query(_TAKE, (count, now, now + count - 1, count))
    # what is asked for together is read when the row is locked: PostgreSQL takes a new look for
    # each statement of a transaction
    places, known, waiting, described = run_each(
        [
            [take],
            selection("statement_id, document", "xapi_statements", "statement_id", uuid.UUID, ids),
            waiting_for(given),
            asking_definitions(iris),
        ]
    )
    if not places:
        _begin_order()
        return begin_writing(ready, ids, given)
    last_pk, last_stored, version = places[0]
    first_stored = _EPOCH + timedelta(microseconds=last_stored - count + 1)
    place = Order(last_pk - count + 1, first_stored, version)
    return Begun(
        place,
        {uuid.UUID(str(name)): text for name, text in known},
        waiting,
        {**dict.fromkeys(iris), **read_definitions(described)},
    )


def _begin_order() -> None:
    """Continue the order of what is in the store."""
    newest = select(func.max(StoredStatement.id), func.max(StoredStatement.stored))
    last_pk, last_stored = db.session.execute(newest).one()
    stored = (last_stored - _EPOCH) // _MICROSECOND if last_stored else 0
    insert_rows(
        "xapi_store_order",
        {"id": int, "last_pk": int, "last_stored": int, "activities_version": int},
        [(1, last_pk or 0, stored, 0)],
        is_known_fine=True,
    )


def store_statements(
    statements: Sequence[Mapping[str, Any]],
    *,
    authority: Mapping[str, Any],
    key_id: int | None = None,
    version: str = "1.0.3",
) -> list[uuid.UUID]:
    """Store valid statements, all in the running transaction; returns their ids in order.

    Ids that are in the store already must have been dealt with by the caller.
    """
    entries = [sent(dict(statement)) for statement in statements]
    ids = [uuid.UUID(s["id"]) if "id" in s else uuid.uuid4() for s in statements]
    given = [i for i, statement in zip(ids, statements, strict=True) if "id" in statement]
    write(entries, ids, given, authority=authority, key_id=key_id, version=version)
    return ids


def write(
    entries: Sequence[Sent],
    ids: Sequence[uuid.UUID],
    given: Collection[uuid.UUID],
    *,
    authority: Mapping[str, Any],
    key_id: int | None,
    version: str,
) -> None:
    """Write new and valid statements with these ids.

    given: those of the ids that their senders chose, so that others may have named them before.
    """
    ready = make_ready(entries, ids, authority=authority, version=version)
    write_ready(ready, given, begin_writing(ready, (), given), key_id=key_id)


def write_ready(
    ready: Sequence[Ready], given: Iterable[uuid.UUID], begun: Begun, *, key_id: int | None
) -> None:
    """Write new statements at places that were taken. given: as for `write`."""
    place = begun.place
    rows: list[tuple[Any, ...]] = []
    links: dict[str, Link] = {}
    primary_key, stored = place.first_pk, place.first_stored
    for one in ready:
        stamp = stored.isoformat(timespec="microseconds")[:-6] + "Z"
        rows.append(
            (
                primary_key,
                one.statement_id,
                stored,
                one.timestamp or stored,
                one.actor_key,
                one.verb_id,
                one.object_key,
                one.registration,
                False,
                key_id,
                stamp.join(one.pieces),
            )
        )
        links[str(one.statement_id)] = Link(one.keys, one.reference)
        primary_key, stored = primary_key + 1, stored + _MICROSECOND
    is_any_referring = any(one.reference for one in ready)
    if is_any_referring:
        inherit(links)
    statements = [one.value for one in ready]
    news = learn(statements, place.activities_version, begun.definitions)
    insert_together(
        (
            ("xapi_statements", _COLUMNS, rows),
            ("xapi_statement_keys", KEY_COLUMNS, _key_rows(links, place.first_pk)),
            ("xapi_activities", ACTIVITY_COLUMNS, news.added),
        )
    )
    if news.has_changed:
        db.session.execute(
            update(StoreOrder)
            .values(activities_version=StoreOrder.activities_version + 1)
            .execution_options(synchronize_session=False)
        )
    awaited = [str(statement_id) for statement_id in given]
    if begun.waiting or is_any_referring:
        pass_on(links, awaited)
        void(statements, awaited)


def _key_rows(links: Mapping[str, Link], first_pk: int) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    for primary_key, link in enumerate(links.values(), first_pk):
        rows += [(key, primary_key) for key in link.keys]
        if link.reference:
            rows.append((lookup_key(By.REFERENCE, link.reference), primary_key))
    rows.sort()  # neighbours in the index are written one after the other
    return rows
