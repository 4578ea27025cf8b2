"""The second factor: one-time codes of an app (TOTP, RFC 6238), and recovery codes on paper."""

from __future__ import annotations

import secrets
from hmac import compare_digest

import pyotp

from lms.accounts import queries
from lms.accounts.errors import WrongCode
from lms.accounts.models import SecondFactor, User
from lms.core import audit, clock
from lms.core.db import db
from lms.core.outbox import enqueue
from lms.core.sealing import mac, seal, unseal
from lms.core.settings import settings

PURPOSE = "second-factor"
SECONDS = 30  # a code lives
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


def begin(user: User) -> SecondFactor:
    """A new secret for an app; it counts only once a code of the app was typed."""
    factor = queries.find_second_factor(user)
    if factor is None:
        factor = SecondFactor(user_id=user.id, secret_sealed="")
        db.session.add(factor)
    if factor.confirmed_at is None:
        factor.secret_sealed = seal(pyotp.random_base32(), PURPOSE)
    db.session.flush()
    return factor


def secret_of(factor: SecondFactor) -> str:
    """The secret that the app needs, in base 32."""
    return unseal(factor.secret_sealed, PURPOSE)


def app_address(factor: SecondFactor) -> str:
    """The address that an app reads from the QR code ("otpauth://totp/...")."""
    totp = pyotp.TOTP(secret_of(factor))
    return totp.provisioning_uri(name=factor.user.email, issuer_name=settings().site_name)


def confirm(factor: SecondFactor, code: str) -> list[str]:
    """Take the factor into use; gives the recovery codes, which nobody can read again.

    Raises WrongCode.
    """
    _take_totp(factor, _tidy(code))
    factor.confirmed_at = clock.now()
    codes = _new_recovery_codes(factor)
    audit.record("accounts.set_up_second_factor", factor, factor.user_id)
    enqueue("accounts.mail", letter="second_factor_on", user_id=factor.user_id)
    return codes


def check(factor: SecondFactor, code: str) -> None:
    """Take a code of the app or a recovery code, each once. Raises WrongCode."""
    typed = _tidy(code)
    if typed.isdecimal():
        _take_totp(factor, typed)
    else:
        _take_recovery(factor, typed)
    db.session.flush()


def _tidy(code: str) -> str:
    return "".join(sign for sign in code.casefold() if sign.isalnum())


def _take_totp(factor: SecondFactor, code: str) -> None:
    """A code of now, or of the step before or after: clocks differ."""
    totp = pyotp.TOTP(secret_of(factor), interval=SECONDS)
    present = int(clock.now().timestamp()) // SECONDS
    for step in (present, present - 1, present + 1):
        if step > factor.last_step and compare_digest(totp.at(step * SECONDS), code):
            factor.last_step = step
            return
    raise WrongCode


def _take_recovery(factor: SecondFactor, code: str) -> None:
    typed = _mac(factor, code)
    left = [known for known in factor.recovery_macs if not compare_digest(known, typed)]
    if len(left) == len(factor.recovery_macs):
        raise WrongCode
    factor.recovery_macs = left


def _mac(factor: SecondFactor, code: str) -> str:
    return mac(f"{factor.user_id} {code}", "recovery-code")


def _new_recovery_codes(factor: SecondFactor) -> list[str]:
    codes = [
        "-".join("".join(secrets.choice(_LETTERS) for _sign in range(4)) for _part in range(3))
        for _number in range(RECOVERY_CODES)
    ]
    factor.recovery_macs = [_mac(factor, _tidy(code)) for code in codes]
    db.session.flush()
    return codes


def renew_recovery_codes(factor: SecondFactor) -> list[str]:
    """New recovery codes; the former ones are worthless."""
    codes = _new_recovery_codes(factor)
    audit.record("accounts.renew_recovery_codes", factor, factor.user_id)
    return codes


def remove(factor: SecondFactor) -> None:
    """The person goes on without a second factor, and is told by mail."""
    audit.record("accounts.remove_second_factor", factor, factor.user_id)
    _forget(factor)


def reset(user: User, actor: User | None) -> None:
    """Help somebody who lost the app and the recovery codes. actor None: by the command line."""
    factor = queries.find_second_factor(user)
    if factor is not None:
        audit.record("accounts.reset_second_factor", user, actor.id if actor else None)
        _forget(factor)


def _forget(factor: SecondFactor) -> None:
    enqueue("accounts.mail", letter="second_factor_off", user_id=factor.user_id)
    db.session.delete(factor)
    db.session.flush()
