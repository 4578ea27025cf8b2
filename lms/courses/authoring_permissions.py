"""Who may begin courses, publish them and choose who teaches them."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.courses.models import Course, CourseRun
from lms.courses.queries import teaching


def _may_begin(user: User, subject: object) -> bool:
    return teaching.teaches(user)


def _may_publish(user: User, subject: Course | CourseRun) -> bool:
    course = subject.course if isinstance(subject, CourseRun) else subject
    teaches = any(member.user_id == user.id for member in course.staff)
    return teaches or teaching.manages_owner(user, course)


def _may_choose_staff(user: User, course: Course) -> bool:
    """The instructor who began the course, and managers of the organisation that owns it."""
    first = course.staff[0] if course.staff else None
    return (first is not None and first.user_id == user.id) or teaching.manages_owner(user, course)


PERMISSIONS = [
    Permission("courses.create", lazy_gettext("Begin and import courses"), _may_begin),
    Permission("courses.publish", lazy_gettext("Publish a course and its runs"), _may_publish),
    Permission(
        "courses.choose_instructors",
        lazy_gettext("Take other instructors off a course"),
        _may_choose_staff,
    ),
    Permission(
        "courses.allow_run_length",
        lazy_gettext("Allow a run of fewer than 14 or more than 28 days"),
    ),
]
