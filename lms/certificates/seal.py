"""Private keys at rest: encrypted with a key derived from the site's secret.

They lie in the database, so that all servers of a site share them and a backup of the database
holds them; without LMS_SECRET_KEY (or the file `secret_key` of the data folder) they are worthless.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lms.certificates.errors import IssuerKeyUnavailable
from lms.core.settings import settings


def _box() -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"puente: keys of the issuer").derive(
        settings().secret().encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(content: bytes) -> str:
    """Encrypt for the database."""
    return _box().encrypt(content).decode()


def unseal(text: str) -> bytes:
    """Decrypt. Raises IssuerKeyUnavailable when the site has another secret now."""
    try:
        return _box().decrypt(text.encode())
    except InvalidToken:
        raise IssuerKeyUnavailable from None
