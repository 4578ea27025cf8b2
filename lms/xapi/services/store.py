"""The one place where statements enter the store."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, update

from lms.core import clock
from lms.core.db import db
from lms.xapi.json_text import Edit, Sent, dumps, edited, members, sent
from lms.xapi.lookup import (
    By,
    agent_key,
    lookup_key,
    lookup_keys,
    object_key,
    reference_of,
    related_activities,
    related_agents,
)
from lms.xapi.models import StoredStatement, StoreOrder
from lms.xapi.services.activities import learn
from lms.xapi.services.chains import KEY_COLUMNS, Link, inherit, pass_on
from lms.xapi.services.rows import insert_rows
from lms.xapi.services.voiding import void
from lms.xapi.validation import VOIDED, read_instant

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


def take_places(count: int) -> Order:
    """Take the next places in the order of commit, and keep others from it until then.

    All writers change one row, which locks it until the end of the transaction on PostgreSQL; on
    SQLite there is one writer at a time anyway. So `id` and `stored` grow in the order of commit,
    and readers that poll with `since` miss nothing. To be called as late as possible.
    """
    now = (clock.now() - _EPOCH) // _MICROSECOND
    change = (
        update(StoreOrder)
        .where(StoreOrder.id == 1)
        .values(
            last_pk=StoreOrder.last_pk + count,
            last_stored=case(
                (StoreOrder.last_stored < now, now + count - 1),
                else_=StoreOrder.last_stored + count,
            ),
        )
        .returning(StoreOrder.last_pk, StoreOrder.last_stored, StoreOrder.activities_version)
        .execution_options(synchronize_session=False)
    )
    row = db.session.execute(change).one_or_none()
    if row is None:
        _begin_order()
        row = db.session.execute(change).one()
    last_pk, last_stored, version = row
    first_stored = _EPOCH + timedelta(microseconds=last_stored - count + 1)
    return Order(last_pk - count + 1, first_stored, version)


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
    place = take_places(len(entries))
    given = [i for i, statement in zip(ids, statements, strict=True) if "id" in statement]
    write(entries, ids, given, place, authority=authority, key_id=key_id, version=version)
    return ids


def write(
    entries: Sequence[Sent],
    ids: Sequence[uuid.UUID],
    given: Iterable[uuid.UUID],
    place: Order,
    *,
    authority: Mapping[str, Any],
    key_id: int | None,
    version: str,
) -> None:
    """Write new and valid statements with these ids at places that were taken.

    given: those of the ids that their senders chose, so that others may have named them before.
    """
    ending = f',"authority":{dumps(authority)}'
    authority_keys = {
        lookup_key(By.RELATED_AGENT, key) for key in related_agents(_nobody(authority))
    }
    rows: list[tuple[Any, ...]] = []
    links: dict[str, Link] = {}
    primary_keys: dict[str, int] = {}
    for number, (entry, statement_id) in enumerate(zip(entries, ids, strict=True)):
        statement, name = entry.value, str(statement_id)
        primary_key = place.first_pk + number
        stored = place.first_stored + number * _MICROSECOND
        stamp = stored.isoformat(timespec="microseconds")[:-6] + "Z"
        registration = statement.get("context", {}).get("registration")
        rows.append(
            (
                primary_key,
                statement_id,
                stored,
                read_instant(statement["timestamp"]) if "timestamp" in statement else stored,
                _for_column(agent_key(statement["actor"]) or "group:anonymous"),
                statement["verb"]["id"],
                _for_column(object_key(statement["object"])),
                uuid.UUID(registration) if registration else None,
                False,
                key_id,
                _document(entry, name, stamp, ending, version),
            )
        )
        statement.pop("authority", None)
        links[name] = Link(lookup_keys(statement) | authority_keys, reference_of(statement))
        primary_keys[name] = primary_key
    if any(link.reference for link in links.values()):
        inherit(links)
    insert_rows("xapi_statements", _COLUMNS, rows)
    insert_rows("xapi_statement_keys", KEY_COLUMNS, _key_rows(links, primary_keys))
    awaited = [str(statement_id) for statement_id in given]
    if awaited:
        pass_on(links, awaited)
    if learn((entry.value for entry in entries), place.activities_version):
        db.session.execute(
            update(StoreOrder)
            .values(activities_version=StoreOrder.activities_version + 1)
            .execution_options(synchronize_session=False)
        )
    void([entry.value for entry in entries], awaited)


def _nobody(authority: Mapping[str, Any]) -> dict[str, Any]:
    """A statement in which nobody but the authority is named."""
    return {"actor": {}, "object": {"id": ""}, "authority": authority}


def _for_column(value: str) -> str:
    """Without the one sign that PostgreSQL does not keep."""
    return value.replace("\0", "\ufffd")


def _key_rows(links: Mapping[str, Link], primary_keys: Mapping[str, int]) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    for name, link in links.items():
        primary_key = primary_keys[name]
        rows += [(key, primary_key) for key in link.keys]
        if link.reference:
            rows.append((lookup_key(By.REFERENCE, link.reference), primary_key))
    return rows


def _document(entry: Sent, statement_id: str, stamp: str, ending: str, version: str) -> str:
    """The statement's own text, with what the store adds."""
    statement, text = entry.value, entry.text
    edits: list[Edit] = []
    if "stored" in statement or "authority" in statement:
        for name, begin, end in members(text):
            if name == "stored":
                edits.append((begin, end, f'"{stamp}"'))
            elif name == "authority":
                edits.append((begin, end, ending.removeprefix(',"authority":')))
    edits += _lists_of_activities(statement, text)
    is_2_0 = version.startswith("2")
    if is_2_0 and not statement.get("timestamp", "Z").endswith(("Z", "z", "+00:00")):
        edits += _in_utc(text)
    if edits:
        text = edited(text, edits)
    added = "" if "id" in statement else f',"id":"{statement_id}"'
    if "stored" not in statement:
        added += f',"stored":"{stamp}"'
    if "timestamp" not in statement:
        added += f',"timestamp":"{stamp}"'
    if "authority" not in statement:
        added += ending
    if "version" not in statement:
        added += ',"version":"2.0.0"' if is_2_0 else ',"version":"1.0.0"'
    if "\n" in text or "\r" in text:  # between values alone; files with one statement a line
        text = text.replace("\r", " ").replace("\n", " ")
    return f"{text[:-1]}{added}}}"


def _lists_of_activities(statement: Mapping[str, Any], text: str) -> list[Edit]:
    """Context activities are kept and given back as lists (1.0.3, part two, 2.4.6.2)."""
    parts = (statement, statement["object"])
    if all(
        type(named) is list
        for part in parts
        for named in part.get("context", {}).get("contextActivities", {}).values()
    ):
        return []
    edits: list[Edit] = []
    for name, begin, _end in members(text):
        if name == "context":
            edits += _lists_in_context(text, begin)
        elif name == "object":
            for inner, inner_begin, _inner_end in members(text, begin):
                if inner == "context":
                    edits += _lists_in_context(text, inner_begin)
    return edits


def _lists_in_context(text: str, at: int) -> list[Edit]:
    return [
        (begin, end, f"[{text[begin:end]}]")
        for name, groups, _end in members(text, at)
        if name == "contextActivities"
        for _kind, begin, end in members(text, groups)
        if text[begin] != "["
    ]


def _in_utc(text: str) -> list[Edit]:
    """A timestamp of another zone is kept in UTC (2.0.0)."""
    edits: list[Edit] = []
    for name, begin, end in members(text):
        if name == "timestamp":
            at = read_instant(text[begin + 1 : end - 1])
            edits.append((begin, end, f'"{at.isoformat()[:-6]}Z"'))
    return edits
