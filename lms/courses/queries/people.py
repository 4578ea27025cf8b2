"""Who has what to do with a course: staff, managers, learners."""

from __future__ import annotations

from sqlalchemy import bindparam, exists, select

from lms.accounts.models import User
from lms.core.db import db
from lms.courses.models import (
    STUDIES,
    Course,
    CourseRun,
    CourseStaff,
    Enrolment,
    course_partners,
)
from lms.directory.models import OrganisationRole, OrganisationRoleName

# made once: most pages of learners ask
_TEACHES = exists().where(
    CourseStaff.course_id == bindparam("course_id"), CourseStaff.user_id == bindparam("user_id")
)
_MANAGES = exists().where(
    OrganisationRole.user_id == bindparam("user_id"),
    OrganisationRole.role == OrganisationRoleName.MANAGER,
    (OrganisationRole.organisation_id == bindparam("owner_id"))
    | OrganisationRole.organisation_id.in_(
        select(course_partners.c.organisation_id).where(
            course_partners.c.course_id == bindparam("course_id")
        )
    ),
)
_TEACHES_OR_MANAGES = select(_TEACHES | _MANAGES)


def is_staff_or_manager(user: User, course: Course) -> bool:
    """Whether the person teaches the course or manages one of its organisations."""
    values = {"user_id": user.id, "course_id": course.id, "owner_id": course.owner_id}
    return bool(db.session.scalar(_TEACHES_OR_MANAGES, values))


def studies_course(user: User, course: Course) -> bool:
    """Whether the person is enrolled in any run of the course, with its contents open."""
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    CourseRun.course_id == course.id,
                    Enrolment.run_id == CourseRun.id,
                    Enrolment.user_id == user.id,
                    Enrolment.state.in_(STUDIES),
                )
            )
        )
    )
