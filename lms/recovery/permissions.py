"""Who may read and decide about cost recovery."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.courses.models import Enrolment
from lms.recovery.models import ReportMail

READ = "recovery.read"


def _asked_for_it(user: User, row: ReportMail) -> bool:
    return row.user_id == user.id


def _is_learner(user: User, enrolment: Enrolment) -> bool:
    return enrolment.user_id == user.id


PERMISSIONS = [
    Permission(READ, lazy_gettext("Read what courses cost and bring in")),
    Permission(
        "recovery.administer",
        lazy_gettext("Write down costs, and decide whether a course run takes place"),
    ),
    Permission(
        "recovery.stop_mail",
        lazy_gettext("Stop reports by mail that one asked for"),
        _asked_for_it,
        administrators=False,
    ),
    Permission(
        "recovery.answer",
        lazy_gettext("Answer for oneself when a course run is moved to other dates"),
        _is_learner,
        administrators=False,
    ),
]
