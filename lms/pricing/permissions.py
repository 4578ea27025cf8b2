"""Who may set prices, and who may show where they live."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.courses.models import CourseRun
from lms.courses.queries import teaching


def _may_set(user: User, run: CourseRun) -> bool:
    """Who may change the list price: the instructors, and managers of the owner."""
    teaches = any(member.user_id == user.id for member in run.course.staff)
    return teaches or teaching.manages_owner(user, run.course)


PERMISSIONS = [
    Permission(
        "pricing.administer", lazy_gettext("Set tiers, exceptions, contracts, and decide on proofs")
    ),
    Permission("pricing.set_amounts", lazy_gettext("Set what people pay for a run"), _may_set),
    Permission(
        "pricing.show_residence",
        lazy_gettext("Show where one lives, and ask for a price"),
        lambda user, subject: True,
    ),
]
