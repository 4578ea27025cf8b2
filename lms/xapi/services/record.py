"""Puente's own statements: made of domain events, stored in the same transaction."""

from __future__ import annotations

from typing import Any

from lms.core.events import Event
from lms.core.settings import settings
from lms.xapi import vocabulary
from lms.xapi.mapping import StatementDraft, statement_mappings
from lms.xapi.services.store import store_statements


def record(event: Event) -> None:
    """Store one statement for each mapping of the event."""
    statements = [
        build(draft)
        for mapping in statement_mappings.values()
        if isinstance(event, mapping.event)
        for draft in mapping.make(event)
    ]
    if statements:
        store_statements(statements, authority=own_authority())


def own_authority() -> dict[str, Any]:
    """Puente itself as the authority of its statements."""
    base = settings().base_url
    return {"objectType": "Agent", "name": "Puente", "account": {"homePage": base, "name": "lms"}}


def build(draft: StatementDraft) -> dict[str, Any]:
    """A complete xAPI 1.0.3 statement without id, stored and authority."""
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
    if draft.result:
        statement["result"] = draft.result
    if draft.timestamp is not None:
        statement["timestamp"] = draft.timestamp.isoformat(timespec="milliseconds")
    return statement
