"""Keys of other tools: made once, shown once, kept hashed, checked from memory."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from lms.core import clock
from lms.core.db import db
from lms.xapi.models import KeyScope, XapiKey
from lms.xapi.services.access import forget_access, hash_secret

OVERLAPS = (timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=7))


def make_key(
    name: str,
    scopes: KeyScope | Iterable[KeyScope],
    made_by_id: int | None,
    *,
    limit: tuple[str, uuid.UUID] | None = None,
    expires_at: datetime | None = None,
) -> tuple[str, str]:
    """A new key and its secret; the secret cannot be read again.

    limit: `REGISTRATION` or the name of a collection of statements, and which one of it.
    """
    key, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
    chosen = {scopes} if isinstance(scopes, KeyScope) else set(scopes)
    db.session.add(
        XapiKey(
            key=key,
            secret_hash=hash_secret(secret),
            name=name,
            scopes=[scope.value for scope in KeyScope if scope in chosen],
            limit_kind=limit[0] if limit else None,
            limit_value=limit[1] if limit else None,
            made_by_id=made_by_id,
            expires_at=expires_at,
        )
    )
    db.session.flush()
    return key, secret


def rotate_key(key: XapiKey, overlap: timedelta = timedelta(0)) -> str:
    """Give a key a new secret; the old one works for `overlap` more, by default not at all."""
    secret = secrets.token_urlsafe(32)
    key.old_secret_hash = key.secret_hash if overlap else None
    key.old_secret_until = clock.now() + overlap if overlap else None
    key.secret_hash = hash_secret(secret)
    db.session.flush()
    forget_access(key.key)
    return secret


def set_expiry(key: XapiKey, expires_at: datetime | None) -> None:
    """Let a key end at an instant, or not by itself."""
    key.expires_at = expires_at
    db.session.flush()
    forget_access(key.key)


def revoke_key(key: XapiKey) -> None:
    """End a key at once. Safe to repeat."""
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        db.session.flush()
    forget_access(key.key)
