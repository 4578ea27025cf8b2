"""From a stranger to a person with a confirmed address."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from lms.accounts import queries, tokens
from lms.accounts.errors import AlreadyConfirmed
from lms.accounts.models import Registration, User
from lms.core import clock
from lms.core.db import db
from lms.core.outbox import enqueue
from lms.core.places import guess_time_zone
from lms.core.settings import settings


def register(
    *,
    name: str,
    email: str,
    password_hash: str,
    language: str,
    country: str | None = None,
    time_zone: str | None = None,
    next_page: str = "",
) -> str:
    """Make an account and mail the link that confirms its address; gives the registration's key.

    Nothing tells the visitor whether the address is known: its owner is told by mail instead, and
    the key leads nowhere. Each registration of an address not confirmed yet has its own link,
    which confirms what was typed then and needs the password chosen then: a stranger who
    registers the address of somebody else gains nothing.
    next_page: address on this site to go on to after confirming.
    """
    known = queries.find_user(email)
    if known is None:
        try:
            with db.session.begin_nested():
                known = make_user(
                    name=name,
                    email=email,
                    password_hash=password_hash,
                    language=language,
                    country=country,
                    time_zone=time_zone,
                )
        except IntegrityError:  # the same form twice at the same time
            known = queries.find_user(email)
    if known is not None and known.is_confirmed:
        enqueue("accounts.mail", letter="known", user_id=known.id)
    elif known is not None and known.is_active:
        registration = Registration(
            user=known,
            name=tidy_name(name),
            email=email,
            password_hash=password_hash,
            language=language,
            country=country,
            time_zone=time_zone or _guess_time_zone(country, language),
            next_page=next_page,
        )
        db.session.add(registration)
        db.session.flush()
        _apply(registration)  # so that administrators see the newest, and the mail speaks to it
        _mail_link(registration)
        return registration.key.hex
    return uuid.uuid4().hex


def _apply(registration: Registration) -> None:
    user = registration.user
    user.name, user.email = registration.name, registration.email
    user.password_hash = registration.password_hash
    user.language, user.country = registration.language, registration.country
    user.time_zone = registration.time_zone
    user.terms_accepted_at = registration.made_at


def _mail_link(registration: Registration) -> None:
    enqueue(
        "accounts.mail",
        letter="confirm",
        user_id=registration.user.id,
        registration=registration.key.hex,
    )


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


def send_confirmation(user: User, keys: Iterable[str] = (), next_page: str = "") -> None:
    """Mail a link that confirms the address. Raises AlreadyConfirmed.

    keys: of the registrations meant; the last of this account counts, else the newest.
    """
    if user.is_confirmed:
        raise AlreadyConfirmed
    registration = (
        queries.newest_registration(user.id, keys)
        or queries.newest_registration(user.id)
        or _registration_of(user)
    )
    registration.next_page = next_page or registration.next_page
    _mail_link(registration)


def _registration_of(user: User) -> Registration:
    """A new one that says what the account says."""
    registration = Registration(
        user=user,
        name=user.name,
        email=user.email,
        password_hash=user.password_hash,
        language=user.language,
        country=user.country,
        time_zone=user.time_zone,
    )
    db.session.add(registration)
    db.session.flush()
    return registration


def resend_confirmation(email: str, keys: Iterable[str] = (), next_page: str = "") -> None:
    """Mail the link again, if there is such an account and it still needs one."""
    user = queries.find_user(email)
    if user is not None and user.is_active and not user.is_confirmed:
        send_confirmation(user, keys, next_page)


def confirm(token: str) -> tuple[User, str]:
    """Confirm the address; gives the person and the page to go on to. Raises LinkExpired.

    Only for who knows the registration's password, or registered in the same browser.
    """
    registration = tokens.read_confirmation(token)
    user, next_page = registration.user, registration.next_page
    _apply(registration)
    user.email_confirmed_at = clock.now()
    db.session.flush()
    forget_registrations(user)
    return user, next_page


def forget_registrations(user: User) -> None:
    """Remove all that was typed to make the account."""
    db.session.execute(delete(Registration).where(Registration.user_id == user.id))


def remove_old_registrations() -> None:
    """Remove those whose link is too old to be used."""
    oldest = clock.now() - tokens.CONFIRMATION_LIVES
    db.session.execute(delete(Registration).where(Registration.made_at < oldest))
