"""Programs of associations: their keys, and the addresses that are told of revocations."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import Iterable

import orjson
from sqlalchemy import select

from lms.accounts.models import User
from lms.accounts.permissions import may
from lms.certificates import queries
from lms.certificates.data_integrity import instant
from lms.certificates.errors import KeyRefused, TooManySubscriptions
from lms.certificates.events import CredentialRevoked
from lms.certificates.models import (
    Credential,
    KeyScope,
    RevocationSubscription,
    VerificationKey,
)
from lms.core import clock
from lms.core.db import db, transaction
from lms.core.outbox import enqueue
from lms.core.outgoing import check_address, send
from lms.core.sealing import seal, unseal

_PURPOSE = "revocation-subscription"
_START = "pv_"
MOST_SUBSCRIPTIONS = 5  # of one person


def make_key(user: User, name: str, scopes: Iterable[KeyScope]) -> tuple[VerificationKey, str]:
    """A new key; its text cannot be read again."""
    text = _START + secrets.token_urlsafe(32)
    key = VerificationKey(
        user_id=user.id,
        name=name,
        start=text[:7],
        digest=_digest(text),
        scopes=[str(scope) for scope in scopes],
    )
    db.session.add(key)
    db.session.flush()
    return key, text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def revoke_key(key: VerificationKey) -> None:
    """End a key at once. Safe to repeat."""
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        db.session.flush()


def person_of(text: str, scope: KeyScope) -> User:
    """For whom a program acts that shows this key.

    The key works as long as the person may verify many certificates. Raises KeyRefused.
    """
    key = queries.find_verification_key(_digest(text)) if text.startswith(_START) else None
    if key is None or key.revoked_at is not None or scope not in key.scopes:
        raise KeyRefused
    if key.user.closed_at is not None or not may(key.user, "certificates.verify_many"):
        raise KeyRefused
    return key.user


def digest_of_code(code: str) -> str:
    """By what a list of revocations names a code: only who has the code finds it there."""
    return hashlib.sha256(code.encode()).hexdigest()


def revocation(credential: Credential) -> dict[str, object]:
    """One revocation as feeds and messages tell it: no name, no code."""
    return {
        "id": credential.uuid.urn,
        "codeSha256": digest_of_code(credential.code),
        "revokedAt": credential.revoked_at and instant(credential.revoked_at),
        "reason": credential.revocation_reason,
    }


def subscribe(user: User, url: str) -> tuple[RevocationSubscription, str]:
    """Tell an address of each revocation from now on; gives the secret that signs the messages.

    Raises AddressRefused and TooManySubscriptions.
    """
    check_address(url, for_strangers=True)
    if len(queries.list_subscriptions(user)) >= MOST_SUBSCRIPTIONS:
        raise TooManySubscriptions
    secret = secrets.token_urlsafe(32)
    made = RevocationSubscription(user_id=user.id, url=url, secret_sealed=seal(secret, _PURPOSE))
    db.session.add(made)
    db.session.flush()
    return made, secret


def unsubscribe(subscription: RevocationSubscription) -> None:
    """Tell it no more. Safe to repeat."""
    if subscription.ended_at is None:
        subscription.ended_at = clock.now()
        db.session.flush()


def tell_subscribers(event: CredentialRevoked) -> None:
    """Enqueue a message to each subscriber, in the transaction of the revocation."""
    for number in queries.active_subscription_ids():
        enqueue(
            "certificates.tell_subscriber",
            subscription_id=number,
            credential_id=event.credential.id,
        )


def tell_subscriber(subscription_id: int, credential_id: int) -> None:
    """Send one message. Raises OSError when it has to be sent again."""
    with transaction(write=False):
        subscription = db.session.get(RevocationSubscription, subscription_id)
        credential = db.session.get(Credential, credential_id)
        if subscription is None or credential is None or subscription.ended_at is not None:
            return
        if not may(subscription.user, "certificates.verify_many"):
            return
        url, secret = subscription.url, unseal(subscription.secret_sealed, _PURPOSE)
        message = {
            "type": "certificate.revoked",
            "message": str(uuid.uuid5(credential.uuid, f"revoked {subscription_id}")),
            **revocation(credential),
        }
    body = orjson.dumps(message)
    answer = send(
        "POST",
        url,
        body,
        {"Content-Type": "application/json", "Puente-Signature": signature(body, secret)},
        timeout=10,
        for_strangers=True,
    )
    with transaction():
        subscription = db.session.get_one(RevocationSubscription, subscription_id)
        if answer.status == 410:  # gone: the other side wants no more
            unsubscribe(subscription)
        elif 200 <= answer.status < 300:
            subscription.last_told_at = clock.now()
    if answer.status != 410 and not 200 <= answer.status < 300:
        raise ConnectionError(f"answered {answer.status}")


def signature(body: bytes, secret: str, at: int | None = None) -> str:
    """What proves that a message is of this site: "t=<seconds>,v1=<HMAC-SHA-256 of t.body>"."""
    seconds = int(time.time()) if at is None else at
    word = hmac.digest(secret.encode(), str(seconds).encode() + b"." + body, "sha256").hex()
    return f"t={seconds},v1={word}"


def erase(user_id: int) -> None:
    """Delete a person's keys and subscriptions."""
    for table in (VerificationKey, RevocationSubscription):
        for row in db.session.scalars(select(table).where(table.user_id == user_id)).all():
            db.session.delete(row)
    db.session.flush()


def export(user_id: int) -> list[dict[str, object]]:
    """A person's keys, without what opens anything, and subscriptions."""
    keys = select(VerificationKey).where(VerificationKey.user_id == user_id)
    told = select(RevocationSubscription).where(RevocationSubscription.user_id == user_id)
    found: list[dict[str, object]] = [
        {"key": key.name, "created_at": key.created_at, "revoked_at": key.revoked_at}
        for key in db.session.scalars(keys)
    ]
    found += [
        {"subscription": row.url, "created_at": row.created_at, "ended_at": row.ended_at}
        for row in db.session.scalars(told)
    ]
    return found
