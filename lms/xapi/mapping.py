"""How a domain event becomes an xAPI statement."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lms.accounts.models import User
from lms.core.events import Event
from lms.core.registry import Registered


@dataclass(frozen=True)
class StatementDraft:
    """What a room says about one event; the store adds id, times and authority.

    verb: a name in `vocabulary.VERBS`. object: an xAPI Activity (`vocabulary.activity(...)`).
    result, context_activities, extensions: as in xAPI 1.0.3 section 2.4; context_activities maps
    "parent", "grouping", "category", "other" to lists of activities. statement_id: where it is
    known beforehand; never that of a statement in the store.
    """

    user: User
    verb: str
    object: dict[str, Any]
    registration: uuid.UUID | None = None
    result: dict[str, Any] | None = None
    context_activities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    language: str | None = None
    extensions: dict[str, Any] = field(default_factory=dict)
    timestamp: datetime | None = None
    instructor: User | None = None
    statement_id: uuid.UUID | None = None


@dataclass(frozen=True)
class StatementMapping:
    """`make` turns each event of the class `event` into statements; none means nothing to record.

    The statements are stored in the transaction of the event.
    """

    name: str
    event: type[Event]
    make: Callable[[Any], Iterable[StatementDraft]]


statement_mappings: Registered[StatementMapping] = Registered("xapi_statements", StatementMapping)
