"""What opens something and is given out once: long random words, of which a digest is kept."""

from __future__ import annotations

import hashlib
import secrets


def make_secret() -> str:
    """A word of 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """SHA-256: enough for words that nobody can guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
