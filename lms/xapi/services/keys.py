"""Keys of other tools: made once, shown once, kept hashed."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.xapi.models import KeyScope, XapiKey


def _hash(secret: str) -> str:
    """SHA-256: fast, and enough for a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_key(name: str, scope: KeyScope, made_by_id: int | None) -> tuple[str, str]:
    """A new key and its secret; the secret cannot be read again."""
    key, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
    db.session.add(
        XapiKey(key=key, secret_hash=_hash(secret), name=name, scope=scope, made_by_id=made_by_id)
    )
    db.session.flush()
    return key, secret


def find_key(key: str, secret: str) -> XapiKey | None:
    """The valid key with this secret; None when unknown, revoked or expired."""
    found = db.session.scalar(select(XapiKey).where(XapiKey.key == key))
    given = _hash(secret)
    if found is None or not hmac.compare_digest(found.secret_hash, given):
        return None
    if found.revoked_at is not None:
        return None
    if found.expires_at is not None and found.expires_at < clock.now():
        return None
    return found


def revoke_key(key: XapiKey) -> None:
    """End a key at once. Safe to repeat."""
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        db.session.flush()
