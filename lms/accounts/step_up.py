"""A fresh proof of the second factor before acts that matter.

A view calls `require_second_factor()` after `require(...)`. Who has none is led to setting it up;
who has not proven it lately is asked for a code, and what was typed into the form goes along.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import request
from limits import RateLimitItemPerMinute

from lms.accounts import queries
from lms.accounts.errors import (
    SecondFactorMissing,
    SecondFactorNeeded,
    TooManyCodes,
    WrongCode,
)
from lms.accounts.models import SecondFactor, User
from lms.accounts.permissions import signed_in
from lms.accounts.services import second_factor
from lms.accounts.sessions import present_sign_in
from lms.core import clock
from lms.core.limits import limiter

FRESH: Final = timedelta(minutes=15)
FIELD: Final = "second_factor_code"
_MOST_WRONG = RateLimitItemPerMinute(10, 10)  # ten in ten minutes


def require_second_factor() -> None:
    """Go on only with a second factor that was proven in this browser in the last 15 minutes.

    A code in the form's field `second_factor_code` proves it. Raises SecondFactorMissing,
    SecondFactorNeeded, WrongCode or TooManyCodes.
    """
    user = signed_in()
    factor = queries.find_second_factor(user)
    if factor is None or factor.confirmed_at is None:
        raise SecondFactorMissing
    sign_in = present_sign_in()
    assert sign_in is not None  # the person is signed in
    proven_at = sign_in.second_factor_at
    if proven_at is not None and proven_at > clock.now() - FRESH:
        return
    code = request.form.get(FIELD, "").strip()
    if not code:
        raise SecondFactorNeeded
    check_code(factor, user, code)
    sign_in.second_factor_at = clock.now()


def require_second_factor_if_any() -> None:
    """As `require_second_factor`, for those who have one; the others go on."""
    if queries.has_second_factor(signed_in()):
        require_second_factor()


def check_code(factor: SecondFactor, user: User, code: str, *, is_first: bool = False) -> list[str]:
    """Take a code, with a limit on wrong ones. is_first: takes the factor into use and gives the
    recovery codes. Raises WrongCode or TooManyCodes."""
    key = ("second-factor", str(user.id))
    if limiter.enabled and not limiter.limiter.test(_MOST_WRONG, *key):
        raise TooManyCodes
    try:
        if is_first:
            return second_factor.confirm(factor, code)
        second_factor.check(factor, code)
    except WrongCode:
        if limiter.enabled:
            limiter.limiter.hit(_MOST_WRONG, *key)
        raise
    return []
