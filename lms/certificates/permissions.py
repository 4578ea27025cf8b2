"""Who may do what with certificates. Verifying needs no permission: everybody may."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.certificates import queries
from lms.certificates.models import Credential
from lms.courses.models import CourseRun
from lms.courses.queries.people import is_staff_or_manager
from lms.directory.queries import is_manager


def _may_see(user: User, credential: Credential) -> bool:
    return credential.user_id == user.id or is_staff_or_manager(user, credential.course)


def _may_see_run(user: User, run: CourseRun) -> bool:
    return is_staff_or_manager(user, run.course)


def all_permissions() -> list[Permission]:
    """The permissions of the room, each with its rule."""
    return [
        Permission(
            "certificates.mine",
            lazy_gettext("See one's own certificates"),
            lambda user, subject: True,
        ),
        Permission("certificates.see", lazy_gettext("Download a certificate"), _may_see),
        Permission(
            "certificates.choose",
            lazy_gettext("Choose whether strangers see the full name"),
            lambda user, credential: credential.user_id == user.id,
            administrators=False,
        ),
        Permission(
            "certificates.see_run",
            lazy_gettext("See the certificates of a course run"),
            _may_see_run,
        ),
        Permission(
            "certificates.design",
            lazy_gettext("Design the certificates of an organisation"),
            lambda user, organisation: is_manager(user, organisation),
        ),
        Permission("certificates.administer", lazy_gettext("Search all certificates")),
        Permission("certificates.revoke", lazy_gettext("Revoke and correct certificates")),
        Permission(
            "certificates.verify_many",
            lazy_gettext("Verify many certificates at once"),
            lambda user, subject: queries.is_officer(user),
        ),
    ]
