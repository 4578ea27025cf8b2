"""Access that waits for a payment: paused and opened again, with nothing deleted."""

from __future__ import annotations

from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.courses.events import EnrolmentCleared
from lms.courses.models import Enrolment


def note_owed(enrolment: Enrolment, *, is_owed: bool, is_late: bool) -> None:
    """Say whether the certificate waits for a payment, and whether access does. Safe to repeat."""
    was_owed = enrolment.is_owed
    enrolment.is_owed = is_owed
    if not is_late:
        enrolment.paused_at = None
    elif enrolment.paused_at is None:
        enrolment.paused_at = clock.now()
    db.session.flush()
    if was_owed and not is_owed:
        emit(EnrolmentCleared(enrolment))
