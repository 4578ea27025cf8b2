"""Accounts that were made by buying, until whoever has the address claims them.

Such an account is never the one that an address has already: buying for an address looks nothing
up, changes nothing and tells nothing about who has it. All is decided by who reads its mail.
"""

from __future__ import annotations

import uuid

from sqlalchemy.exc import IntegrityError

from lms.accounts import queries, tokens
from lms.accounts.errors import AddressTaken, LinkExpired
from lms.accounts.events import AccountDeclined, AccountTakenOver
from lms.accounts.models import WAITING, AccountClaim, User
from lms.accounts.services.closing import erase_everywhere
from lms.accounts.services.registration import make_user, tidy_name
from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.text import fold


def make_waiting(
    *, name: str, email: str, language: str, country: str | None = None, next_page: str = ""
) -> User:
    """A new account that waits for whoever has the address; no mail yet.

    next_page: address on this site to go on to after claiming.
    """
    user = make_user(
        name=name,
        email=f"{uuid.uuid4().hex}{WAITING}",
        password_hash=None,
        language=language,
        country=country,
    )
    claim = AccountClaim(user=user, email=email, email_folded=email.casefold(), next_page=next_page)
    db.session.add(claim)
    user.search_text = fold(f"{user.name} {email}")  # so that administrators find it
    db.session.flush()
    return user


def find_owner(waiting: User) -> User | None:
    """The account that has the address already."""
    return queries.find_user(waiting.address)


def claim(token: str, name: str, password_hash: str) -> tuple[User, str]:
    """Make the waiting account the reader's own; gives it and the page to go on to.

    Raises LinkExpired, and AddressTaken when the reader has another account.
    """
    user = tokens.read_claim(token)
    found = user.claim
    assert found is not None
    if find_owner(user) is not None:
        raise AddressTaken
    email, next_page = found.email, found.next_page
    try:
        with db.session.begin_nested():
            user.name = tidy_name(name)
            user.email, user.email_folded = email, email.casefold()
            user.password_hash = password_hash
            user.email_confirmed_at = user.terms_accepted_at = clock.now()
            db.session.delete(found)
    except IntegrityError:  # two links of one address at the same time
        raise AddressTaken from None
    db.session.refresh(user)
    return user, next_page


def take_over(token: str, owner: User) -> str:
    """Give all that waits to the account that has the address; the page to go on to.

    Raises LinkExpired, also for somebody with another address, and what rooms raise who cannot
    hand over.
    """
    waiting = tokens.read_claim(token)
    found = waiting.claim
    assert found is not None
    if found.email_folded != owner.email_folded or not owner.is_confirmed:
        raise LinkExpired
    next_page = found.next_page
    emit(AccountTakenOver(waiting, owner))
    forget(waiting)
    waiting.taken_over_by_id = owner.id
    db.session.flush()
    return next_page


def decline(token: str) -> None:
    """Give back what waits, and close the account. Raises LinkExpired."""
    waiting = tokens.read_claim(token)
    emit(AccountDeclined(waiting))
    forget(waiting)


def forget(waiting: User) -> None:
    """Close an account that nobody claimed."""
    erase_everywhere(waiting)
