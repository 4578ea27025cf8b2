"""Work after commit and by the clock."""

from __future__ import annotations

from lms.core.db import db
from lms.core.outbox import Job
from lms.directory import queries as directory
from lms.directory.models import Organisation
from lms.recognition.services import ledger, rules


def credit_members(association_id: int) -> None:
    """Judge certificates of members by the rules that there are now."""
    association = db.session.get(Organisation, association_id)
    if association is not None:
        ledger.credit_members(association)


def refresh_course_credits() -> None:
    """Rules and accreditations begin and end by the calendar."""
    for association in directory.associations():
        rules.refresh_course_credits(association)


JOBS = [
    Job("recognition.credit_members", credit_members),
    Job("recognition.refresh_course_credits", refresh_course_credits, every="7 0 * * *"),
]
