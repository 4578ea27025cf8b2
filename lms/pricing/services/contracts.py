"""What organisations have agreed for their people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from lms.accounts.models import User
from lms.core.audit import record
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Course, CourseRun
from lms.directory.models import Organisation
from lms.pricing.errors import AlreadyEnded
from lms.pricing.models import OrganisationContract


@dataclass(frozen=True)
class ContractTerms:
    """What is agreed: `percent` or `off`, never both; for all courses, one course or one run."""

    valid_from: date
    valid_until: date | None = None
    percent: int | None = None
    off: Money | None = None
    is_stackable: bool = False
    course: Course | None = None
    run: CourseRun | None = None


def make_contract(
    organisation: Organisation, terms: ContractTerms, by: User | None
) -> OrganisationContract:
    """Let the people of an organisation pay less. Its people are those with a role in it."""
    row = OrganisationContract(
        organisation_id=organisation.id,
        course_id=terms.course.id if terms.course else None,
        run_id=terms.run.id if terms.run else None,
        percent=terms.percent,
        off_minor=terms.off.minor if terms.off else None,
        off_currency=terms.off.currency if terms.off else None,
        is_stackable=terms.is_stackable,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        made_by_id=by.id if by else None,
    )
    db.session.add(row)
    record("pricing.make_contract", row, by.id if by else None, organisation=organisation.slug)
    return row


def end_contract(row: OrganisationContract, last_day: date, by: User) -> None:
    """Let a contract hold until this day, the last one. Raises AlreadyEnded."""
    if row.valid_until is not None and row.valid_until <= last_day:
        raise AlreadyEnded
    if last_day < row.valid_from:
        db.session.delete(row)  # it never came to hold
    else:
        row.valid_until = last_day
    record("pricing.end_contract", row, by.id, last_day=last_day.isoformat())
