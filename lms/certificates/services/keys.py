"""The issuer's keys: made once, rotated on purpose, never replaced in silence."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy.exc import IntegrityError

from lms.certificates import queries
from lms.certificates.data_integrity import multikey
from lms.certificates.models import IssuerKey
from lms.certificates.open_badge import issuer_did
from lms.certificates.seal import seal, unseal
from lms.core import clock
from lms.core.db import db


def signing_key() -> IssuerKey:
    """The key that signs now; the first one is made when it is first needed."""
    found = queries.find_signing_key()
    if found is not None or queries.list_keys():
        return found or make_key()
    try:
        with db.session.begin_nested():
            return make_key()
    except IntegrityError:  # another server made it at the same time
        made = queries.find_signing_key()
        if made is None:
            raise
        return made


def make_key() -> IssuerKey:
    """A new key pair that signs from now on."""
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    now = clock.now()
    key = IssuerKey(
        kid=_next_kid(now.year),
        public_key=multikey(private.public_key()),
        private_key_sealed=seal(raw),
        created_at=now,
    )
    db.session.add(key)
    db.session.flush()
    return key


def _next_kid(year: int) -> str:
    taken = {key.kid for key in queries.list_keys()}
    number = 1
    while f"ed-{year}-{number}" in taken:
        number += 1
    return f"ed-{year}-{number}"


@lru_cache(maxsize=8)
def _opened(sealed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(unseal(sealed))


def private_key(key: IssuerKey) -> Ed25519PrivateKey:
    """The private half. Raises IssuerKeyUnavailable when the site's secret has changed."""
    return _opened(key.private_key_sealed)


def rotate() -> IssuerKey:
    """Sign with a new key from now on; the old ones stay published and go on verifying.

    Raises IssuerKeyUnavailable when the present key cannot be opened: then the secret is wrong.
    """
    for key in queries.list_keys():
        if key.retired_at is None:
            private_key(key)
            key.retired_at = clock.now()
    db.session.flush()
    return make_key()


def did_document() -> dict[str, object]:
    """The issuer's DID document with all keys, retired ones too, since they still verify."""
    did = issuer_did()
    keys = queries.list_keys()
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [
            {
                "id": f"{did}#{key.kid}",
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.public_key,
            }
            for key in keys
        ],
        "assertionMethod": [f"{did}#{key.kid}" for key in keys],
    }
