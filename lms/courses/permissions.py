"""Who may do what with courses."""

from __future__ import annotations

from typing import Any

from flask import g, has_request_context, request
from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.core.web import SAFE_METHODS
from lms.courses.errors import EnrolmentClosed
from lms.courses.models import (
    Course,
    CourseMedia,
    CourseRun,
    Enrolment,
    EnrolmentState,
    PublicationState,
)
from lms.courses.queries import enrolments, people

_MAY_LEAVE = (
    EnrolmentState.WAITLISTED,
    EnrolmentState.OFFERED,
    EnrolmentState.PENDING_PAYMENT,
    EnrolmentState.ACTIVE,
)


def _course_of(subject: Course | CourseRun) -> Course:
    return subject.course if isinstance(subject, CourseRun) else subject


def may_edit(user: User, subject: Course | CourseRun) -> bool:
    """Staff of the course, and managers of its owning and partner organisations.

    Several links of one page ask this: a page that is only read asks the database once.
    """
    course = _course_of(subject)
    if not has_request_context() or request.method not in SAFE_METHODS:
        return people.is_staff_or_manager(user, course)
    known: dict[tuple[int, int], bool] = g.setdefault("may_edit", {})
    key = (user.id, course.id)
    if key not in known:
        known[key] = people.is_staff_or_manager(user, course)
    return known[key]


def may_study(user: User, subject: Enrolment | CourseRun) -> bool:
    """A person whose enrolment in the run is active or completed."""
    if isinstance(subject, Enrolment):
        return subject.user_id == user.id and subject.may_study
    enrolment = enrolments.find_enrolment(subject, user)
    return enrolment is not None and enrolment.may_study


def may_leave(user: User, enrolment: Enrolment) -> bool:
    """The person themself, while there is something to leave."""
    return enrolment.user_id == user.id and enrolment.state in _MAY_LEAVE


def _may_enrol(user: User, run: CourseRun) -> bool:
    return (
        run.course.is_published and run.state == PublicationState.PUBLISHED
    ) or enrolments.find_enrolment(run, user) is not None


def _may_see_media(user: User, media: CourseMedia) -> bool:
    return people.studies_course(user, media.course) or may_edit(user, media.course)


def is_public_media(media: CourseMedia) -> bool:
    """A picture that the published course page shows."""
    course = media.course
    if not course.is_published or not media.file.media_type.startswith("image/"):
        return False
    public: list[dict[str, Any]] = [course.description, course.audience, course.requirements]
    public += [text for entry in course.faq for text in entry.values() if isinstance(text, dict)]
    address = f"media/{media.name}"
    return any(address in text for texts in public for text in texts.values())


def all_permissions() -> list[Permission]:
    """The permissions of the room, each with its rule."""
    return [
        Permission(
            "courses.see",
            lazy_gettext("See the page of a course"),
            may_edit,
            strangers=lambda course: bool(course.is_published),
        ),
        Permission(
            "courses.enrol",
            lazy_gettext("Enrol in a course run"),
            _may_enrol,
            refusal=EnrolmentClosed.message,
        ),
        Permission(
            "courses.leave",
            lazy_gettext("Leave a course run or its waiting list"),
            may_leave,
            administrators=False,
        ),
        Permission(
            "courses.study",
            lazy_gettext("Study in a course run"),
            may_study,
            administrators=False,
        ),
        Permission(
            "courses.my_courses",
            lazy_gettext("See one's own courses and due dates"),
            lambda user, subject: True,
        ),
        Permission("courses.preview", lazy_gettext("See a course as a learner does"), may_edit),
        Permission("courses.edit", lazy_gettext("Write and teach a course"), may_edit),
        Permission(
            "courses.media",
            lazy_gettext("Open pictures and files of a course"),
            _may_see_media,
            strangers=is_public_media,
        ),
    ]
