"""Who may take quizzes, see results and grades."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission, may
from lms.assessments.models import QuizAttempt
from lms.courses.models import CourseRun, Enrolment


def _may_take(user: User, enrolment: Enrolment) -> bool:
    return enrolment.user_id == user.id and enrolment.may_study


def _may_see_grades(user: User, enrolment: Enrolment) -> bool:
    return enrolment.user_id == user.id


def _may_see_results(user: User, run: CourseRun) -> bool:
    return may(user, "courses.edit", run)


def _may_see_attempt(user: User, attempt: QuizAttempt) -> bool:
    enrolment = attempt.enrolment
    return enrolment.user_id == user.id or _may_see_results(user, enrolment.run)


def all_permissions() -> list[Permission]:
    """The permissions of the room, each with its rule."""
    return [
        Permission(
            "assessments.take",
            lazy_gettext("Take the quizzes of a course run"),
            _may_take,
            administrators=False,
        ),
        Permission(
            "assessments.see_grades",
            lazy_gettext("See one's own grades in a course run"),
            _may_see_grades,
            administrators=False,
        ),
        Permission(
            "assessments.see_attempt",
            lazy_gettext("See the result of an attempt"),
            _may_see_attempt,
        ),
        Permission(
            "assessments.see_results",
            lazy_gettext("See the results and grades of all learners of a course run"),
            _may_see_results,
        ),
    ]
