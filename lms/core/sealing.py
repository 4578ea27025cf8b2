"""Secrets that must be readable again: encrypted with a key derived from the site's secret."""

from __future__ import annotations

import base64
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lms.config import ConfigurationError
from lms.core.settings import settings


@lru_cache(maxsize=32)
def _key(secret: str, purpose: str) -> bytes:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=f"puente:{purpose}".encode())
    return derived.derive(secret.encode())


def _box(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_key(settings().secret(), purpose)))


def mac(text: str, purpose: str) -> str:
    """A word that only this site can make for this very text (HMAC-SHA-256, 64 hex digits)."""
    return hmac.digest(_key(settings().secret(), purpose), text.encode(), "sha256").hex()


def seal(text: str, purpose: str) -> str:
    """Encrypt `text`; only `unseal` with the same purpose and site secret reads it."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, purpose: str) -> str:
    """Read what `seal` made. Raises ConfigurationError when the site's secret is another one."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ConfigurationError(
            "a kept secret cannot be read: LMS_SECRET_KEY is not the one it was sealed with"
        ) from None
