"""Signed links in mails. Each dies by its age, and by the state that using it changes."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer

from lms.accounts import queries
from lms.accounts.errors import LinkExpired
from lms.accounts.models import Registration, User
from lms.core.db import db
from lms.core.settings import settings

CONFIRMATION_LIVES = timedelta(days=3)
RESET_LIVES = timedelta(hours=1)
CLAIM_LIVES = timedelta(days=14)
HALF_LIVES = timedelta(minutes=10)


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret(), salt=f"accounts.{purpose}")


def _read(purpose: str, token: str, lives: timedelta) -> dict[str, Any]:
    try:
        found = _serializer(purpose).loads(token, max_age=int(lives.total_seconds()))
    except BadSignature:
        raise LinkExpired from None
    return dict(found)


def _user(found: dict[str, Any]) -> User:
    user = db.session.get(User, found["user"])
    if user is None or not user.is_active:
        raise LinkExpired
    return user


def _state(user: User) -> str:
    """Changes with password and address, and tells nothing about either."""
    return hashlib.sha256(f"{user.password_hash} {user.email_folded}".encode()).hexdigest()[:24]


def confirmation_token(registration_key: str) -> str:
    """For the link that confirms the address of a new account."""
    return _serializer("confirm").dumps({"registration": registration_key})


def read_confirmation(token: str) -> Registration:
    """What was typed at the registration for which the link was mailed. Raises LinkExpired."""
    found = _read("confirm", token, CONFIRMATION_LIVES)
    registration = queries.find_registration(str(found.get("registration")))
    if registration is None or registration.user.is_confirmed or not registration.user.is_active:
        raise LinkExpired
    return registration


def reset_token(user: User) -> str:
    """For the link that lets the person choose a new password."""
    return _serializer("reset").dumps({"user": user.id, "state": _state(user)})


def read_reset(token: str) -> User:
    """The person who may choose a new password. Raises LinkExpired."""
    found = _read("reset", token, RESET_LIVES)
    user = _user(found)
    if found["state"] != _state(user):
        raise LinkExpired
    return user


def claim_token(user: User) -> str:
    """For the link by which somebody claims the account that waits for them."""
    return _serializer("claim").dumps({"user": user.id, "state": _state(user)})


def read_claim(token: str) -> User:
    """The account that the link's reader may claim. Raises LinkExpired."""
    found = _read("claim", token, CLAIM_LIVES)
    user = _user(found)
    if found["state"] != _state(user) or user.claim is None:
        raise LinkExpired
    return user


def new_email_token(user: User, email: str) -> str:
    """For the link that confirms another address of an account."""
    content = {"user": user.id, "email": email, "state": _state(user)}
    return _serializer("new_email").dumps(content)


def read_new_email(token: str) -> tuple[User, str]:
    """The person and their new address. Raises LinkExpired."""
    found = _read("new_email", token, CONFIRMATION_LIVES)
    user = _user(found)
    if found["state"] != _state(user):
        raise LinkExpired
    return user, str(found["email"])


def half_token(user: User) -> str:
    """For the browser of somebody who typed the right password and owes a code."""
    return _serializer("half").dumps({"user": user.id, "state": _state(user)})


def read_half(token: str) -> User:
    """The person who typed the right password just now. Raises LinkExpired."""
    found = _read("half", token, HALF_LIVES)
    user = _user(found)
    if found["state"] != _state(user):
        raise LinkExpired
    return user
