"""Who writes and teaches a course."""

from __future__ import annotations

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import audit
from lms.core.db import db
from lms.courses.errors import LastInstructor
from lms.courses.models import Course, CourseStaff
from lms.courses.services.authoring import with_text
from lms.directory.models import Organisation


def find_person(email: str) -> User | None:
    """The active account with this address."""
    user = db.session.scalar(select(User).where(User.email_folded == email.strip().casefold()))
    return user if user is not None and user.is_active else None


def add_staff(
    course: Course, person: User, organisation: Organisation | None, actor_id: int | None
) -> CourseStaff:
    """Let a person write and teach the course for an organisation. Safe to repeat."""
    known = next((row for row in course.staff if row.user_id == person.id), None)
    if known is not None:
        return known
    row = CourseStaff(user=person, organisation=organisation)
    course.staff.append(row)
    db.session.flush()
    audit.record("courses.add_instructor", course, actor_id, user_id=person.id)
    return row


def change_staff(
    row: CourseStaff, organisation: Organisation | None, language: str, biography: str
) -> None:
    """Write who an instructor is, in one language, and for whom they teach."""
    row.organisation = organisation
    row.biography = with_text(row.biography, language, biography)
    db.session.flush()


def remove_staff(row: CourseStaff, actor_id: int | None) -> None:
    """Take an instructor off the course. Raises LastInstructor."""
    course = row.course
    if len(course.staff) < 2:
        raise LastInstructor
    audit.record("courses.remove_instructor", course, actor_id, user_id=row.user_id)
    course.staff.remove(row)
    db.session.flush()
