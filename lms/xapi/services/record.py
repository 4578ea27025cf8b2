"""Puente's own statements: made of domain events, stored in the same transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from lms.core import clock
from lms.core.db import db
from lms.core.events import Event
from lms.core.settings import settings
from lms.xapi import vocabulary
from lms.xapi.mapping import StatementDraft, statement_mappings
from lms.xapi.models import StatementKey, StoredStatement
from lms.xapi.services.store import store_statements

_WAITING = "xapi_statements_waiting"


def record(happened: Event) -> None:
    """Store one statement for each mapping of an event, at the end of the transaction.

    Whoever stores statements keeps all others from it until the end, so that waits until then.
    Inside of a savepoint, which may be taken back alone, they are stored at once.
    """
    statements = [
        build(draft)
        for mapping in statement_mappings.values()
        if isinstance(happened, mapping.event)
        for draft in mapping.make(happened)
    ]
    if statements and db.session.in_nested_transaction():
        store_statements(statements, authority=own_authority())
    elif statements:
        db.session.info.setdefault(_WAITING, []).extend(statements)


def store_waiting(session: Session) -> None:
    """Store what waits for the end of the session's transaction."""
    statements = session.info.pop(_WAITING, None)
    if statements:
        store_statements(statements, authority=own_authority())


@event.listens_for(Session, "before_commit")
def _store_before_commit(session: Session) -> None:
    if _WAITING in session.info:
        store_waiting(session)


@event.listens_for(Session, "do_orm_execute")
def _store_before_reading(state: ORMExecuteState) -> None:
    """Whoever asks in the same transaction sees what was recorded in it."""
    mapper = state.bind_mapper
    if (
        _WAITING in state.session.info
        and mapper is not None
        and mapper.class_ in (StoredStatement, StatementKey)
    ):
        store_waiting(state.session)


@event.listens_for(Session, "after_rollback")
def _forget_waiting(session: Session) -> None:
    session.info.pop(_WAITING, None)


def own_authority() -> dict[str, Any]:
    """Puente itself as the authority of its statements."""
    base = settings().base_url
    return {"objectType": "Agent", "name": "Puente", "account": {"homePage": base, "name": "lms"}}


def build(draft: StatementDraft) -> dict[str, Any]:
    """A complete xAPI 1.0.3 statement without stored and authority."""
    context: dict[str, Any] = {"platform": settings().site_name}
    if draft.registration is not None:
        context["registration"] = str(draft.registration)
    named = {name: found for name, found in draft.context_activities.items() if found}
    context["contextActivities"] = {
        **named,
        "category": [*named.get("category", ()), vocabulary.profile_category()],
    }
    if draft.language:
        context["language"] = draft.language
    if draft.instructor is not None:
        context["instructor"] = vocabulary.actor(draft.instructor)
    if draft.extensions:
        context["extensions"] = draft.extensions
    statement: dict[str, Any] = {
        "actor": vocabulary.actor(draft.user),
        "verb": vocabulary.verb(draft.verb),
        "object": draft.object,
        "context": context,
    }
    if draft.statement_id is not None:
        statement["id"] = str(draft.statement_id)
    if draft.result:
        statement["result"] = draft.result
    at = draft.timestamp or clock.set_instant()  # it is stored later, when the clock runs again
    if at is not None:
        statement["timestamp"] = at.isoformat(timespec="milliseconds")
    return statement
