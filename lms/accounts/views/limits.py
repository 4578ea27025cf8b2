"""How often one may try, by the visitor's address and by the account tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Response, request

from lms.accounts.permissions import present_user
from lms.core.limits import limiter
from lms.core.web import SAFE_METHODS

View = TypeVar("View", bound=Callable[..., Any])


def _account() -> str:
    """Whose password is tried: that of the person signed in, else of the address typed or the
    link opened."""
    user = present_user()
    if user is not None:
        return f"user:{user.id}"
    token = (request.view_args or {}).get("token", "")
    return f"account:{request.form.get('email', token).strip().casefold()}"


def _is_reading() -> bool:
    return request.method in SAFE_METHODS


def _failed(response: Response) -> bool:
    return response.status_code >= 400


def limit_failures(view: View) -> View:
    """Wrong passwords: 30 in ten minutes from one address, 10 for one account."""
    by_address = limiter.limit("30 per 10 minutes", exempt_when=_is_reading, deduct_when=_failed)
    by_account = limiter.limit(
        "10 per 10 minutes",
        key_func=_account,
        exempt_when=_is_reading,
        deduct_when=_failed,
    )
    return cast(View, by_address(by_account(view)))


def _succeeded(response: Response) -> bool:
    return response.status_code < 400


def limit_own_mails(view: View) -> View:
    """Mails that a signed-in person has sent to an address of their choice: 10 an hour."""
    limit = limiter.limit("10 per hour", key_func=_account, exempt_when=_is_reading)
    return cast(View, limit(view))


def limit_mails(view: View) -> View:
    """Mails to whoever is named: 60 an hour from one address (a class registers together), 5 an
    hour to one mailbox. A form that is refused mails nothing and does not count."""
    by_address = limiter.limit("60 per hour", exempt_when=_is_reading, deduct_when=_succeeded)
    by_account = limiter.limit(
        "5 per hour", key_func=_account, exempt_when=_is_reading, deduct_when=_succeeded
    )
    return cast(View, by_address(by_account(view)))
