"""The audit log of administrative acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert

from lms.core.db import Model, db
from lms.core.models import AuditEntry


def record(act: str, subject: Model, actor_id: int | None, **details: Any) -> None:
    """Note that `actor_id` did `act` to `subject`; details are JSON without personal data."""
    record_all(act, [subject], actor_id, **details)


def record_all(act: str, subjects: Sequence[Model], actor_id: int | None, **details: Any) -> None:
    """The same, done to several at once."""
    db.session.flush()
    if not subjects:
        return
    db.session.execute(
        insert(AuditEntry),
        [
            {
                "act": act,
                "subject_kind": subject.__tablename__,
                "subject_id": str(getattr(subject, "id", "")),
                "actor_id": actor_id,
                "details": details,
            }
            for subject in subjects
        ],
    )
