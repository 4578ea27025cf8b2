"""Signing in, passwords and addresses.

Hashing takes a while on purpose. What hashes does not write, and what writes does not hash: on
SQLite all who write would wait meanwhile.
"""

from __future__ import annotations

from lms.accounts import queries, tokens
from lms.accounts.errors import Deactivated, LinkExpired, NotConfirmed, WrongCredentials
from lms.accounts.models import User
from lms.accounts.passwords import check_strength, hash_password, is_outdated, is_password
from lms.accounts.services.claim_links import send_links
from lms.accounts.services.registration import forget_registrations
from lms.accounts.services.sign_ins import end_all_sign_ins
from lms.core import clock
from lms.core.db import db
from lms.core.outbox import enqueue


def authenticate(email: str, password: str) -> User:
    """The person who signs in.

    Takes as long for unknown addresses as for known ones; changes nothing. Raises
    WrongCredentials, and only to who knows the password NotConfirmed or Deactivated.
    """
    user = queries.find_user(email)
    is_right = is_password(user.password_hash if user else None, password)
    if user is None or not is_right:
        raise WrongCredentials
    if not user.is_active:
        raise Deactivated
    if not user.is_confirmed:
        raise NotConfirmed
    return user


def renewed_hash(user: User, password: str) -> str | None:
    """A hash of today's cost in place of one of another cost, None when the kept one is good."""
    return hash_password(password) if is_outdated(user.password_hash or "") else None


def keep_hash(user: User, password_hash: str) -> None:
    """Keep another hash of the same password."""
    user.password_hash = password_hash
    db.session.flush()


def check_password(user: User, password: str) -> None:
    """Let go on only who knows the password of the account. Raises WrongCredentials."""
    if not is_password(user.password_hash, password):
        raise WrongCredentials


def request_reset(email: str) -> None:
    """Mail a link for a new password, if there is such an account.

    Whose account waits to be claimed gets the link for that.
    """
    user = queries.find_user(email)
    if user is None:
        send_links(email)
    elif user.is_active and not user.is_waiting:
        enqueue("accounts.mail", letter="reset", user_id=user.id)


def reset_password(token: str, password_hash: str) -> User:
    """Set a new password by the link from the mail, which also confirms the address.

    Raises LinkExpired.
    """
    user = tokens.read_reset(token)
    set_password(user, password_hash)
    user.email_confirmed_at = user.email_confirmed_at or clock.now()
    forget_registrations(user)
    db.session.flush()
    return user


def hash_new_password(user: User, password: str) -> str:
    """The hash of a password that the person chose. Raises WeakPassword."""
    check_strength(password, user.email, user.name)
    return hash_password(password)


def set_password(user: User, password_hash: str) -> None:
    """Set a password, sign out everywhere and tell the person."""
    user.password_hash = password_hash
    end_all_sign_ins(user)
    enqueue("accounts.mail", letter="password_changed", user_id=user.id)


def request_new_email(user: User, email: str) -> None:
    """Mail a link to the new address; the old one is in use until the link is opened.

    Whether somebody else has the address is told to its owner only.
    """
    known = queries.find_user(email)
    if known is None or known.id == user.id:
        enqueue("accounts.mail", letter="new_email", user_id=user.id, to=email)
    else:
        enqueue("accounts.mail", letter="known", user_id=known.id)


def change_email(token: str) -> User:
    """Put the new address in place of the old one and tell the old one. Raises LinkExpired."""
    user, email = tokens.read_new_email(token)
    known = queries.find_user(email)
    if known is not None and known.id != user.id:
        raise LinkExpired
    enqueue("accounts.mail", letter="email_changed", user_id=user.id, to=user.email)
    user.email, user.email_folded = email, email.casefold()
    user.email_confirmed_at = clock.now()
    end_all_sign_ins(user)
    db.session.flush()
    return user
