"""Reads of the store."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from lms.core.db import db
from lms.xapi.models import RelatedActivity, RelatedAgent, StoredStatement, XapiKey


@dataclass(frozen=True)
class StatementFilter:
    """What a reader asks for (xAPI 1.0.3, part three, 2.1.3). Keys as in `services.store`."""

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
    found = select(StoredStatement).where(~StoredStatement.is_voided)
    if wanted.agent is not None:
        if wanted.related_agents:
            found = found.where(
                StoredStatement.id.in_(
                    select(RelatedAgent.statement_pk).where(RelatedAgent.key == wanted.agent)
                )
            )
        else:
            found = found.where(
                (StoredStatement.actor_key == wanted.agent)
                | (StoredStatement.object_key == wanted.agent)
            )
    if wanted.verb is not None:
        found = found.where(StoredStatement.verb_id == wanted.verb)
    if wanted.verbs:
        found = found.where(StoredStatement.verb_id.in_(wanted.verbs))
    if wanted.activity is not None:
        if wanted.related_activities:
            found = found.where(
                StoredStatement.id.in_(
                    select(RelatedActivity.statement_pk).where(
                        RelatedActivity.iri == wanted.activity
                    )
                )
            )
        else:
            found = found.where(StoredStatement.object_key == wanted.activity)
    if wanted.registration is not None:
        found = found.where(StoredStatement.registration == wanted.registration)
    if wanted.since is not None:
        found = found.where(StoredStatement.stored > wanted.since)
    if wanted.until is not None:
        found = found.where(StoredStatement.stored <= wanted.until)
    if wanted.key_id is not None:
        found = found.where(StoredStatement.key_id == wanted.key_id)
    order = StoredStatement.id.asc() if wanted.ascending else StoredStatement.id.desc()
    return found.order_by(order)


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
