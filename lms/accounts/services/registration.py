"""From a stranger to a person with a confirmed address."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from lms.accounts import queries, tokens
from lms.accounts.errors import AlreadyConfirmed
from lms.accounts.models import User
from lms.accounts.passwords import hash_password, is_password
from lms.core import clock
from lms.core.db import db
from lms.core.outbox import enqueue
from lms.core.places import guess_time_zone
from lms.core.settings import settings


def register(
    *,
    name: str,
    email: str,
    password: str,
    language: str,
    country: str | None = None,
    time_zone: str | None = None,
    next_page: str = "",
) -> None:
    """Make an account and mail the link that confirms its address.

    Nothing tells the visitor whether the address is known: its owner is told by mail instead.
    Until it is confirmed, who registers last is believed: nobody can wait with a password of
    their own in an account that the owner of the address will confirm.
    next_page: address on this site to go on to after confirming.
    """
    password_hash = hash_password(password)  # also for known addresses: it takes as long
    known = queries.find_user(email)
    is_same = is_password(known.password_hash if known else None, password)
    if known is None:
        try:
            with db.session.begin_nested():
                user = make_user(
                    name=name,
                    email=email,
                    password_hash=password_hash,
                    language=language,
                    country=country,
                    time_zone=time_zone,
                )
        except IntegrityError:  # the same form twice at the same time
            return
        user.terms_accepted_at = clock.now()
        send_confirmation(user, next_page)
    elif known.is_confirmed:
        enqueue("accounts.mail", letter="known", user_id=known.id)
    elif known.is_active:
        known.name, known.email, known.language = tidy_name(name), email, language
        known.country = country
        known.time_zone = time_zone or _guess_time_zone(country, language)
        if not is_same:  # else a second click would make the first link worthless
            known.password_hash = password_hash
        known.terms_accepted_at = clock.now()
        send_confirmation(known, next_page)


def make_user(
    *,
    name: str,
    email: str,
    password_hash: str | None,
    language: str,
    country: str | None = None,
    time_zone: str | None = None,
    is_administrator: bool = False,
) -> User:
    """A new account, not confirmed yet."""
    user = User(
        name=tidy_name(name),
        email=email,
        email_folded=email.casefold(),
        password_hash=password_hash,
        language=language,
        country=country,
        time_zone=time_zone or _guess_time_zone(country, language),
        is_administrator=is_administrator,
    )
    db.session.add(user)
    db.session.flush()
    return user


def tidy_name(name: str) -> str:
    """The name with single spaces."""
    return " ".join(name.split())


def _guess_time_zone(country: str | None, language: str) -> str:
    return guess_time_zone(country, language, settings().default_time_zone)


def send_confirmation(user: User, next_page: str = "") -> None:
    """Mail the link that confirms the address. Raises AlreadyConfirmed."""
    if user.is_confirmed:
        raise AlreadyConfirmed
    enqueue("accounts.mail", letter="confirm", user_id=user.id, next_page=next_page)


def resend_confirmation(email: str, next_page: str = "") -> None:
    """Mail the link again, if there is such an account and it still needs one."""
    user = queries.find_user(email)
    if user is not None and user.is_active and not user.is_confirmed:
        send_confirmation(user, next_page)


def confirm(token: str) -> tuple[User, str]:
    """Confirm the address; gives the person and the page to go on to. Raises LinkExpired."""
    user, next_page = tokens.read_confirmation(token)
    user.email_confirmed_at = clock.now()
    db.session.flush()
    return user, next_page
