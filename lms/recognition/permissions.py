"""Who may do what for an association. The site's administrators decide nothing for a body."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.directory import queries as directory
from lms.directory.models import Organisation
from lms.recognition import queries

_REFUSAL = lazy_gettext(
    "Only officers of the association do this. Who administers this site does not decide for an"
    " association, not even as its officer."
)


def _acts_for(user: User, association: Organisation) -> bool:
    return not user.is_administrator and directory.is_officer(user, association)


def _acts_for_any(user: User, subject: Any) -> bool:
    return not user.is_administrator and bool(queries.associations_of_officer(user))


def _is_own(user: User, subject: Any) -> bool:
    return bool(user.id == subject.id)


def all_permissions() -> list[Permission]:
    """The permissions of the room, each with its rule."""
    return [
        Permission(
            "recognition.keep",
            lazy_gettext("Decide for an association"),
            _acts_for,
            administrators=False,
            refusal=_REFUSAL,
        ),
        Permission(
            "recognition.any_desk",
            lazy_gettext("Open the desk of an association"),
            _acts_for_any,
            administrators=False,
            refusal=_REFUSAL,
        ),
        Permission(
            "recognition.share_evidence",
            lazy_gettext("Show others the evidence behind one's own certificate"),
            lambda user, credential: bool(credential.user_id == user.id),
            administrators=False,
        ),
        Permission(
            "recognition.my_hours",
            lazy_gettext("See one's own hours"),
            _is_own,
            administrators=False,
        ),
    ]
