"""The history of a request: every step, only ever added to."""

from __future__ import annotations

from typing import Any

from lms.accounts.models import User
from lms.core.db import db
from lms.recognition.models import PriorLearningRequest, PriorLearningStep


def note(request: PriorLearningRequest, actor: User | None, what: str, **details: Any) -> None:
    """Add a step. actor: None for what the calendar does. details: JSON."""
    db.session.flush()
    db.session.add(
        PriorLearningStep(
            request_id=request.id,
            what=what,
            actor_id=actor.id if actor else None,
            details=details,
        )
    )
    db.session.flush()
