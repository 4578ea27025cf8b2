"""Reads of the store."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from lms.core.db import db
from lms.xapi.lookup import By, lookup_key
from lms.xapi.models import StatementKey, StoredStatement, XapiKey


@dataclass(frozen=True)
class StatementFilter:
    """What a reader asks for (xAPI 1.0.3, part three, 2.1.3). Agents as in `lookup.agent_key`."""

    agent: str | None = None
    verb: str | None = None
    verbs: tuple[str, ...] = ()  # any of these; Puente's own pages ask so
    activity: str | None = None
    registration: uuid.UUID | None = None
    related_agents: bool = False
    related_activities: bool = False
    since: datetime | None = None
    until: datetime | None = None
    ascending: bool = False
    key_id: int | None = None  # only what this key stored
    above: int | None = None  # primary keys larger than this
    up_to: int | None = None  # and not larger than this

    def between(self, above: int | None, up_to: int | None) -> StatementFilter:
        """The same, within a span of primary keys."""
        return replace(self, above=above, up_to=up_to)


def find_statement(statement_id: uuid.UUID) -> StoredStatement | None:
    """The statement with this id, voided or not."""
    return db.session.scalar(
        select(StoredStatement).where(StoredStatement.statement_id == statement_id)
    )


def find_statements(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, StoredStatement]:
    """Those of the ids that are in the store."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = db.session.scalars(
        select(StoredStatement).where(StoredStatement.statement_id.in_(wanted))
    )
    return {row.statement_id: row for row in rows}


def list_statements(wanted: StatementFilter) -> Select[StoredStatement]:
    """The statements that fit, in the order of storing, newest first unless ascending."""
    found, order = _walk(wanted)
    above, up_to = [wanted.above], [wanted.up_to]
    if wanted.since is not None:
        above.append(_last_until(wanted.since))
    if wanted.until is not None:
        up_to.append(_last_until(wanted.until))
    # both sides of the join are bounded: PostgreSQL may walk either, or both at once
    for column in dict.fromkeys((order, StoredStatement.id)):
        found = found.where(
            *(column > key for key in above if key is not None),
            *(column <= key for key in up_to if key is not None),
        )
    return found.order_by(order.asc() if wanted.ascending else order.desc())


def _walk(wanted: StatementFilter) -> tuple[Select[StoredStatement], InstrumentedAttribute[int]]:
    """What fits but for times, and the column in whose order an index is walked.

    Of several filters, that which fits fewest statements as a rule is walked, and each statement
    on the way is looked up in the others.
    """
    found = select(StoredStatement).where(~StoredStatement.is_voided)
    if wanted.key_id is not None:
        found = found.where(StoredStatement.key_id == wanted.key_id)
    if wanted.verbs:
        found = found.where(StoredStatement.verb_id.in_(wanted.verbs))
    keys = _lookup_keys(wanted)
    if not keys:
        return found, StoredStatement.id
    found = found.join(StatementKey, StatementKey.statement_pk == StoredStatement.id)
    found = found.where(StatementKey.key == keys[0])
    for key in keys[1:]:
        other = aliased(StatementKey)
        found = found.where(
            select(other.key)
            .where(other.key == key, other.statement_pk == StatementKey.statement_pk)
            .exists()
        )
    return found, StatementKey.statement_pk


def _lookup_keys(wanted: StatementFilter) -> list[int]:
    """The numbers that a statement must be found under, rare ones first."""
    keys: list[int] = []
    if wanted.registration is not None:
        keys.append(lookup_key(By.REGISTRATION, str(wanted.registration)))
    if wanted.agent is not None:
        by = By.RELATED_AGENT if wanted.related_agents else By.AGENT
        keys.append(lookup_key(by, wanted.agent))
    if wanted.activity is not None:
        of = By.RELATED_ACTIVITY if wanted.related_activities else By.ACTIVITY
        keys.append(lookup_key(of, wanted.activity))
    if wanted.verb is not None:
        keys.append(lookup_key(By.VERB, wanted.verb))
    return keys


def _last_until(at: datetime) -> int:
    """The primary key of the last statement stored at or before an instant; 0 when none was."""
    found = select(StoredStatement.id).where(StoredStatement.stored <= at)
    return db.session.scalar(found.order_by(StoredStatement.stored.desc()).limit(1)) or 0


def newest_pk() -> int:
    """Primary key of the newest statement; 0 in an empty store."""
    return db.session.scalar(select(func.max(StoredStatement.id))) or 0


def statements_of_registration(
    registration: uuid.UUID, limit: int = 200
) -> Sequence[StoredStatement]:
    """What happened in one enrolment, newest first."""
    return db.session.scalars(
        list_statements(StatementFilter(registration=registration)).limit(limit)
    ).all()


def list_keys() -> Select[XapiKey]:
    """All keys, newest first."""
    return select(XapiKey).order_by(XapiKey.created_at.desc(), XapiKey.id.desc())
