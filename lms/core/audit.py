"""The audit log of administrative acts."""

from __future__ import annotations

from typing import Any

from lms.core.db import Model, db
from lms.core.models import AuditEntry


def record(act: str, subject: Model, actor_id: int | None, **details: Any) -> None:
    """Note that `actor_id` did `act` to `subject`; details are JSON without personal data."""
    db.session.flush()
    db.session.add(
        AuditEntry(
            act=act,
            subject_kind=subject.__tablename__,
            subject_id=str(getattr(subject, "id", "")),
            actor_id=actor_id,
            details=details,
        )
    )
