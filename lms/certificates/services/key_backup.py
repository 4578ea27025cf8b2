"""The issuer's keys in a file of their own, encrypted with a passphrase: for the safe.

Who has lost the site's secret, or starts on a new machine without the database, gets back with it
the keys under which all certificates were issued.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from lms.certificates import queries
from lms.certificates.errors import KeyBackupUnreadable, NoSigningKey
from lms.certificates.models import IssuerKey
from lms.certificates.open_badge import issuer_did
from lms.certificates.seal import seal, unseal
from lms.core import audit
from lms.core.db import db

FORMAT = "puente-issuer-keys"
SHAPE = 1
COST = {"n": 2**15, "r": 8, "p": 1}  # scrypt, 32 MiB


def passphrase_box(passphrase: str, salt: bytes, cost: dict[str, int] = COST) -> Fernet:
    """What encrypts with a passphrase; slow on purpose (scrypt)."""
    derived = Scrypt(salt=salt, length=32, **cost).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def export_keys(passphrase: str) -> str:
    """All keys as an encrypted file. Raises IssuerKeyUnavailable."""
    salt = secrets.token_bytes(16)
    keys = queries.list_keys()
    if not keys:
        raise NoSigningKey
    content = [
        {
            "kid": key.kid,
            "use": key.use,
            "public_key": key.public_key,
            "private_key": base64.b64encode(unseal(key.private_key_sealed)).decode(),
            "created_at": key.created_at.isoformat(),
            "retired_at": key.retired_at and key.retired_at.isoformat(),
            "withdrawn_at": key.withdrawn_at and key.withdrawn_at.isoformat(),
        }
        for key in keys
    ]
    audit.record("certificates.export_keys", keys[-1], None, keys=len(content))
    box = passphrase_box(passphrase, salt)
    return json.dumps(
        {
            "format": FORMAT,
            "shape": SHAPE,
            "issuer": issuer_did(),
            "keys": [entry["kid"] for entry in content],
            "salt": base64.b64encode(salt).decode(),
            "scrypt": COST,
            "content": box.encrypt(json.dumps(content).encode()).decode(),
        },
        indent=2,
    )


def import_keys(text: str, passphrase: str) -> list[str]:
    """Take keys from such a file; gives the names of those that were added or opened again.

    A key that is known is sealed anew with the present secret; its public half has to be the same.
    Raises KeyBackupUnreadable.
    """
    changed: list[IssuerKey] = []
    for entry in _read(text, passphrase):
        private = base64.b64decode(entry["private_key"])
        known = queries.find_key(entry["kid"])
        if known is None:
            known = IssuerKey(kid=entry["kid"], use=entry["use"], public_key=entry["public_key"])
            for name in ("created_at", "retired_at", "withdrawn_at"):
                value = entry[name]
                setattr(known, name, datetime.fromisoformat(value) if value else None)
            db.session.add(known)
        elif known.public_key != entry["public_key"]:
            raise KeyBackupUnreadable
        known.private_key_sealed = seal(private)
        changed.append(known)
    db.session.flush()
    kids = [key.kid for key in changed]
    audit.record("certificates.import_keys", changed[-1], None, keys=kids)
    return kids


def _read(text: str, passphrase: str) -> list[dict[str, Any]]:
    try:
        file = json.loads(text)
        if file["format"] != FORMAT or file["shape"] != SHAPE or file["scrypt"] != COST:
            raise KeyBackupUnreadable
        if file["issuer"] != issuer_did():
            raise KeyBackupUnreadable
        box = passphrase_box(passphrase, base64.b64decode(file["salt"]))
        content: list[dict[str, Any]] = json.loads(box.decrypt(file["content"].encode()))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidToken):
        raise KeyBackupUnreadable from None
    if not content:
        raise KeyBackupUnreadable
    return content
