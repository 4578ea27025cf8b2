"""The verdict on a credential of any issuer: signature, status, dates, in this order.

Whatever cannot be checked leaves the answer open; it is never taken for a good sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any

from lms.certificates.verifier import issuers, proofs
from lms.certificates.verifier.claims import Claims, read_claims
from lms.certificates.verifier.outcome import (
    CannotCheck,
    Check,
    Problem,
    Refused,
    State,
    Verdict,
)
from lms.certificates.verifier.status import check_status
from lms.certificates.verifier.tokens import Token

SKEW = timedelta(minutes=2)  # clocks of others go wrong
MOST_AT_ONCE = 1  # by one process, so that slow sites of others never hold all of it
_places = BoundedSemaphore(MOST_AT_ONCE)


def judge(
    document: Mapping[str, Any],
    token: Token | None,
    now: datetime,
    *,
    waits: bool = False,
    resolve: proofs.Resolve = issuers.resolve,
) -> Verdict:
    """The verdict on a credential that another issuer signed.

    token: the JWS that holds the document; without one the document bears its own proof. waits:
    wait while the process checks another one; else the answer is "busy". resolve: how issuers are
    found.
    """
    if not _places.acquire(blocking=waits):
        return Verdict(State.UNCHECKED, now, problem=Problem.BUSY)
    try:
        return _judge(document, token, now, resolve)
    finally:
        _places.release()


def _judge(
    document: Mapping[str, Any], token: Token | None, now: datetime, resolve: proofs.Resolve
) -> Verdict:
    try:
        if token is not None:
            proofs.prove_token(token, resolve)
        else:
            proofs.prove_document(document, resolve)
    except Refused as refused:
        failed = dict.fromkeys((refused.check, Check.SIGNATURE), False)
        return Verdict(State.ALTERED, now, checks=failed)
    except CannotCheck as reason:
        left = {Check.SIGNATURE: None}
        return Verdict(State.UNCHECKED, now, checks=left, problem=reason.problem)
    claims = read_claims(document)
    checks: dict[Check, bool | None] = {
        Check.ISSUER: True,
        Check.SIGNATURE: True,
        **_dates(document, claims, now),
    }
    problem: Problem | None = None
    try:
        checks.update(check_status(document, now))
    except CannotCheck as reason:
        checks[Check.NOT_REVOKED] = None
        problem = reason.problem
    return Verdict(_state(checks), now, checks=checks, claims=claims, problem=problem)


def _dates(document: Mapping[str, Any], claims: Claims, now: datetime) -> dict[Check, bool | None]:
    """Dates that cannot be read leave the answer open."""
    found: dict[Check, bool | None] = {Check.NOT_EXPIRED: True}
    if claims.valid_from is not None:
        found[Check.BEGUN] = claims.valid_from <= now + SKEW
    elif document.get("validFrom") or document.get("issuanceDate"):
        found[Check.BEGUN] = None
    if claims.valid_until is not None:
        found[Check.NOT_EXPIRED] = now < claims.valid_until
    elif document.get("validUntil") or document.get("expirationDate"):
        found[Check.NOT_EXPIRED] = None
    return found


def _state(checks: Mapping[Check, bool | None]) -> State:
    for check, state in (
        (Check.NOT_REVOKED, State.REVOKED),
        (Check.NOT_SUSPENDED, State.REVOKED),
        (Check.NOT_EXPIRED, State.EXPIRED),
        (Check.BEGUN, State.EARLY),
    ):
        if checks.get(check) is False:
            return state
    return State.UNCHECKED if None in checks.values() else State.VALID
