"""The one place where statements enter the store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import func, insert, select, text, update

from lms.core import clock
from lms.core.db import db
from lms.xapi.models import RelatedActivity, RelatedAgent, StoredStatement
from lms.xapi.validation import read_instant
from lms.xapi.vocabulary import VERBS

_LOCK = 0x70754E7465  # PostgreSQL advisory lock: one writer at a time gives `stored` its order
VOIDED = VERBS["voided"][0]


def agent_key(agent: Mapping[str, Any]) -> str | None:
    """What identifies an agent or identified group; None for an anonymous group."""
    if "mbox" in agent:
        return f"mbox:{agent['mbox']}"
    if "mbox_sha1sum" in agent:
        return f"sha1:{str(agent['mbox_sha1sum']).lower()}"
    if "openid" in agent:
        return f"openid:{agent['openid']}"
    account = agent.get("account")
    if isinstance(account, Mapping):
        return f"account:{account.get('homePage')}|{account.get('name')}"
    return None


def object_key(thing: Mapping[str, Any]) -> str:
    """What identifies the object of a statement."""
    kind = thing.get("objectType", "Activity")
    if kind == "Activity":
        return str(thing["id"])
    if kind == "StatementRef":
        return f"ref:{str(thing['id']).lower()}"
    if kind == "SubStatement":
        return f"sub:{object_key(thing['object'])}"
    return agent_key(thing) or "group:anonymous"


def _agents(thing: Mapping[str, Any] | None) -> Iterator[str]:
    """Identifiers of an agent or group and of a group's members."""
    if not thing:
        return
    key = agent_key(thing)
    if key:
        yield key
    for member in thing.get("member", ()):
        yield from _agents(member)


def related_agents(statement: Mapping[str, Any]) -> set[str]:
    """All agents that a statement names, its actor included."""
    context = statement.get("context", {})
    thing = statement["object"]
    found = set(_agents(statement["actor"]))
    for part in (context.get("instructor"), context.get("team"), statement.get("authority")):
        found.update(_agents(part))
    if thing.get("objectType") in ("Agent", "Group"):
        found.update(_agents(thing))
    if thing.get("objectType") == "SubStatement":
        found |= related_agents(thing)
    return found


def related_activities(statement: Mapping[str, Any]) -> set[str]:
    """All activities that a statement names, its object included."""
    thing = statement["object"]
    found: set[str] = set()
    if thing.get("objectType", "Activity") == "Activity":
        found.add(str(thing["id"]))
    if thing.get("objectType") == "SubStatement":
        found |= related_activities(thing)
    for group in statement.get("context", {}).get("contextActivities", {}).values():
        for one in group if isinstance(group, list) else [group]:
            found.add(str(one["id"]))
    return found


def _next_stored(count: int) -> list[datetime]:
    """`count` instants later than every earlier one, in the order of commit.

    SQLite has one writer at a time; on PostgreSQL an advisory lock that lasts until the end of
    the transaction makes it so. Readers that poll with `since` therefore miss nothing.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    newest = db.session.scalar(select(func.max(StoredStatement.stored)))
    first = clock.now()
    if newest is not None and newest >= first:
        first = newest + timedelta(microseconds=1)
    return [first + timedelta(microseconds=i) for i in range(count)]


def store_statements(
    statements: Sequence[dict[str, Any]],
    *,
    authority: dict[str, Any],
    key_id: int | None = None,
    version: str = "1.0.0",
) -> list[uuid.UUID]:
    """Store valid statements, all in the running transaction; returns their ids in order.

    Ids that are in the store already must have been dealt with by the caller.
    """
    rows: list[dict[str, Any]] = []
    for statement, stored in zip(statements, _next_stored(len(statements)), strict=True):
        statement = dict(statement)
        statement_id = uuid.UUID(str(statement["id"])) if "id" in statement else uuid.uuid4()
        stamp = stored.isoformat(timespec="microseconds").replace("+00:00", "Z")
        statement["id"] = str(statement_id)
        statement["stored"] = stamp
        statement.setdefault("timestamp", stamp)
        statement["authority"] = authority  # whoever sent it cannot speak as somebody else
        statement.setdefault("version", version)
        registration = statement.get("context", {}).get("registration")
        rows.append(
            {
                "statement_id": statement_id,
                "stored": stored,
                "timestamp": read_instant(statement["timestamp"]),
                "actor_key": agent_key(statement["actor"]) or "group:anonymous",
                "verb_id": statement["verb"]["id"],
                "object_key": object_key(statement["object"]),
                "registration": uuid.UUID(registration) if registration else None,
                "is_voided": False,
                "key_id": key_id,
                "document": orjson.dumps(statement).decode(),
                "_statement": statement,
            }
        )
    documents = [row.pop("_statement") for row in rows]
    # many at once, then their keys: an INSERT that gives keys in order goes row by row on SQLite
    db.session.execute(insert(StoredStatement), rows)
    ids = [row["statement_id"] for row in rows]
    keys = _keys_of(ids)
    activities: list[dict[str, Any]] = []
    agents: list[dict[str, Any]] = []
    for statement_id, statement in zip(ids, documents, strict=True):
        primary_key = keys[statement_id]
        activities += [
            {"statement_pk": primary_key, "iri": i} for i in related_activities(statement)
        ]
        agents += [{"statement_pk": primary_key, "key": k} for k in related_agents(statement)]
    if activities:
        db.session.execute(insert(RelatedActivity), activities)
    if agents:
        db.session.execute(insert(RelatedAgent), agents)
    _void([d["object"]["id"] for d in documents if d["verb"]["id"] == VOIDED])
    return ids


def _keys_of(statement_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The primary keys of statements by their ids."""
    found: dict[uuid.UUID, int] = {}
    for start in range(0, len(statement_ids), 500):
        part = statement_ids[start : start + 500]
        rows = db.session.execute(
            select(StoredStatement.statement_id, StoredStatement.id).where(
                StoredStatement.statement_id.in_(part)
            )
        )
        found.update((statement_id, key) for statement_id, key in rows)
    return found


def _void(statement_ids: Sequence[str]) -> None:
    """Mark statements as voided; a voiding statement itself cannot be voided."""
    if statement_ids:
        db.session.execute(
            update(StoredStatement)
            .where(
                StoredStatement.statement_id.in_([uuid.UUID(i) for i in statement_ids]),
                StoredStatement.verb_id != VOIDED,
            )
            .values(is_voided=True)
            .execution_options(synchronize_session=False)
        )
