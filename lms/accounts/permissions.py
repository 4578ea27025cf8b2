"""Permissions: the one place that says who may do what.

Rooms declare each permission with its rule through the hook `permissions`. Views call
`require(name, subject)`, templates ask `can(name, subject)`. Administrators may do all that is
not marked otherwise; strangers nothing that has not a rule for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import g, has_request_context
from flask_babel.speaklater import LazyString
from flask_login import current_user

from lms.accounts.models import User
from lms.core.errors import Forbidden, SignInNeeded
from lms.core.registry import Registered

Rule = Callable[[User, Any], bool]


@dataclass(frozen=True)
class Permission:
    """Something that can be allowed.

    name: "room.verb". rule: whether this signed-in person may do it to the subject.
    administrators: whether administrators may do it whatever the rule says. strangers: whether
    people who are not signed in may do it, given the subject. refusal: what those read who may not,
    where there is more to say than that their account does not allow it.
    """

    name: str
    label: str | LazyString
    rule: Rule = lambda user, subject: False
    administrators: bool = True
    strangers: Callable[[Any], bool] = lambda subject: False
    refusal: str | LazyString | None = None


permissions: Registered[Permission] = Registered("permissions", Permission)


def may(user: User | None, name: str, subject: Any = None) -> bool:
    """Whether `user` (None: a stranger) has the permission on the subject.

    Raises KeyError for a permission that nobody declared.
    """
    permission = permissions[name]
    if permission.strangers(subject):
        return True
    if user is None or not user.is_active:
        return False
    if user.is_administrator and permission.administrators:
        return True
    return permission.rule(user, subject)


def present_user() -> User | None:
    """The signed-in person of this request, None for a stranger."""
    if not has_request_context():
        return None
    user = current_user._get_current_object()
    return user if isinstance(user, User) else None


def signed_in() -> User:
    """The signed-in person. Raises SignInNeeded for a stranger."""
    user = present_user()
    if user is None:
        raise SignInNeeded
    return user


def can(name: str, subject: Any = None) -> bool:
    """Whether the present visitor has the permission on the subject."""
    return may(present_user(), name, subject)


def require(name: str, subject: Any = None) -> None:
    """Go on only when the present visitor has the permission.

    Raises SignInNeeded for a stranger and Forbidden for somebody without the right.
    """
    g.permission_asked = True
    user = present_user()
    if not may(user, name, subject):
        raise SignInNeeded if user is None else Forbidden(permissions[name].refusal)
