"""Who may apply for scholarships, see applications and decide on them."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.courses.errors import EnrolmentClosed
from lms.courses.models import CourseRun
from lms.scholarships.models import Application
from lms.scholarships.services.applications import may_apply_for


def _may_apply(user: User, run: CourseRun) -> bool:
    return may_apply_for(run)


def _is_own(user: User, application: Application) -> bool:
    return application.user_id == user.id


PERMISSIONS = [
    Permission(
        "scholarships.apply",
        lazy_gettext("Apply for a scholarship"),
        _may_apply,
        administrators=False,
        refusal=EnrolmentClosed.message,
    ),
    Permission(
        "scholarships.see",
        lazy_gettext("See and withdraw one's own applications"),
        _is_own,
        administrators=False,
    ),
    Permission(
        "scholarships.list",
        lazy_gettext("List one's own applications and the open funds"),
        lambda user, subject: True,
    ),
    Permission(
        "scholarships.administer", lazy_gettext("Keep scholarship funds and decide on applications")
    ),
]
