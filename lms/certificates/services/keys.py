"""The issuer's keys: made once, rotated on purpose, never replaced in silence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import RSAKey
from sqlalchemy.exc import IntegrityError

from lms.certificates import queries, web_token
from lms.certificates.data_integrity import multikey
from lms.certificates.errors import IssuerKeyUnavailable, NoSigningKey
from lms.certificates.models import IssuerKey, KeyUse
from lms.certificates.open_badge import issuer_did, verification_method
from lms.certificates.seal import seal, unseal
from lms.core import audit, clock
from lms.core.db import db
from lms.core.settings import settings

_KID = {KeyUse.PROOF: "ed", KeyUse.TOKEN: "rsa", KeyUse.SEAL: "seal"}


def signing_key(use: KeyUse = KeyUse.PROOF) -> IssuerKey:
    """The key that signs now; the first one of its use is made when it is first needed.

    Raises IssuerKeyUnavailable rather than make one in place of another.
    """
    found = queries.find_signing_key(use)
    if found is not None:
        return found
    former = queries.list_keys()
    if any(key.use == use for key in former):
        found = queries.find_signing_key(use)  # another server may have made it meanwhile
        if found is None:
            raise NoSigningKey
        return found
    if former:
        open_any(former[-1])  # a site that has lost its secret makes no new key
    try:
        with db.session.begin_nested():
            return make_key(use)
    except IntegrityError:  # another server made it at the same time
        made = queries.find_signing_key(use)
        if made is None:
            raise
        return made


def make_pair(use: KeyUse) -> tuple[str, bytes]:
    """The public half as it is published, and the private half in bytes."""
    if use == KeyUse.TOKEN:
        pem = web_token.make_private_key()
        return web_token.public_jwk(pem), pem
    if use == KeyUse.SEAL:
        from lms.certificates import pdf_seal

        return pdf_seal.make_certified_key(settings().site_name, issuer_did(), clock.now())
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return multikey(private.public_key()), raw


def make_key(use: KeyUse = KeyUse.PROOF) -> IssuerKey:
    """A new key pair that signs from now on."""
    public, private = make_pair(use)
    now = clock.now()
    key = IssuerKey(
        use=use,
        kid=_next_kid(use, now.year),
        public_key=public,
        private_key_sealed=seal(private),
        created_at=now,
    )
    db.session.add(key)
    db.session.flush()
    return key


def _next_kid(use: KeyUse, year: int) -> str:
    taken = {key.kid for key in queries.list_keys()}
    number = 1
    while f"{_KID[use]}-{year}-{number}" in taken:
        number += 1
    return f"{_KID[use]}-{year}-{number}"


@lru_cache(maxsize=8)
def _opened(sealed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(unseal(sealed))


@lru_cache(maxsize=8)
def _opened_rsa(sealed: str) -> RSAKey:
    return web_token.open_private_key(unseal(sealed))


@lru_cache(maxsize=8)
def _opened_seal(sealed: str) -> EllipticCurvePrivateKey:
    from lms.certificates import pdf_seal

    return pdf_seal.open_key(unseal(sealed))


def private_key(key: IssuerKey) -> Ed25519PrivateKey:
    """The private half of a key for proofs. Raises IssuerKeyUnavailable when the site's secret
    has changed."""
    return _opened(key.private_key_sealed)


def private_token_key(key: IssuerKey) -> RSAKey:
    """The private half of a key for tokens. Raises IssuerKeyUnavailable."""
    return _opened_rsa(key.private_key_sealed)


def seal_pdf(content: bytes) -> bytes:
    """The PDF with the issuer's seal (PAdES). Raises IssuerKeyUnavailable."""
    from lms.certificates import pdf_seal  # what it stands on takes long to load

    key = signing_key(KeyUse.SEAL)
    config = settings()
    return pdf_seal.seal_pdf(
        content,
        key.public_key,
        _opened_seal(key.private_key_sealed),
        name=config.site_name,
        tsa_url=config.tsa_url,
        tsa_roots=config.tsa_roots,
    )


def open_any(key: IssuerKey) -> None:
    """Open a key of any use. Raises IssuerKeyUnavailable."""
    unseal(key.private_key_sealed)


def forget_opened() -> None:
    """Open every key anew from what is kept."""
    _opened.cache_clear()
    _opened_rsa.cache_clear()
    _opened_seal.cache_clear()


def make_missing() -> list[IssuerKey]:
    """A new key of each use that has none which signs. Raises IssuerKeyUnavailable when a key
    that was made before cannot be opened: then the secret is wrong."""
    for key in queries.list_keys():
        open_any(key)
    return [make_key(use) for use in KeyUse if queries.find_signing_key(use) is None]


def rotate() -> list[IssuerKey]:
    """Sign with new keys from now on; the old ones stay published and go on verifying.

    Raises IssuerKeyUnavailable when a present key cannot be opened: then the secret is wrong.
    """
    for key in queries.list_keys():
        if key.retired_at is None:
            open_any(key)
            retire(key)
    return [make_key(use) for use in KeyUse]


def retire(key: IssuerKey, *, withdrawn: bool = False) -> None:
    """Sign no more with this key; it stays published and goes on verifying.

    withdrawn: it became known to strangers. It is taken out of what is published, so that nothing
    that it signed verifies any more; what is still to be believed has to be issued anew.
    """
    now = clock.now()
    key.retired_at = key.retired_at or now
    if withdrawn:
        key.withdrawn_at = key.withdrawn_at or now
    db.session.flush()
    audit.record("certificates.retire_key", key, None, key=key.kid, withdrawn=withdrawn)


@dataclass(frozen=True)
class KeyState:
    """Whether a key signs or verifies, and whether the present secret opens it."""

    key: IssuerKey
    is_openable: bool
    signed: int  # credentials that were issued under it


def list_states() -> list[KeyState]:
    """All keys, the oldest first."""
    signed = queries.count_by_key()
    return [KeyState(key, _can_open(key), signed.get(key.id, 0)) for key in queries.list_keys()]


def _can_open(key: IssuerKey) -> bool:
    try:
        open_any(key)
    except IssuerKeyUnavailable:
        return False
    return True


def require_openable() -> None:
    """Refuse to start with another secret than the one that the signing keys are sealed with.

    Raises IssuerKeyUnavailable.
    """
    for key in queries.list_keys():
        if key.retired_at is None:
            open_any(key)


def did_document() -> dict[str, object]:
    """The issuer's DID document (did:web) with all keys, retired ones too, since they still
    verify; withdrawn ones are left out."""
    did = issuer_did()
    keys = [
        key for key in queries.list_keys() if key.withdrawn_at is None and key.use != KeyUse.SEAL
    ]
    return describe_identity(did, [_method(key, did) for key in keys])


def describe_identity(did: str, methods: list[dict[str, object]]) -> dict[str, object]:
    """A DID document whose keys all sign credentials (Controlled Identifiers 1.0, 2.3.2)."""
    return {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
            "https://w3id.org/security/jwk/v1",
        ],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def multikey_method(did: str, kid: str, public_key: str) -> dict[str, object]:
    """An Ed25519 key in a DID document."""
    return {
        "id": f"{did}#{kid}",
        "controller": did,
        "type": "Multikey",
        "publicKeyMultibase": public_key,
    }


def _method(key: IssuerKey, did: str) -> dict[str, object]:
    if key.use == KeyUse.PROOF:
        return multikey_method(did, key.kid, key.public_key)
    found: dict[str, object] = {"id": verification_method(key.kid), "controller": did}
    return {**found, "type": "JsonWebKey", "publicKeyJwk": _jwk(key)}


def _jwk(key: IssuerKey) -> dict[str, str]:
    public: dict[str, str] = json.loads(key.public_key)
    return {
        **public,
        "kid": verification_method(key.kid),
        "alg": web_token.ALGORITHM,
        "use": "sig",
    }


def key_set() -> dict[str, object]:
    """The keys that sign tokens as a JSON Web Key Set (RFC 7517)."""
    return {
        "keys": [
            _jwk(key)
            for key in queries.list_keys()
            if key.use == KeyUse.TOKEN and key.withdrawn_at is None
        ]
    }


def certificates() -> str:
    """The certificates of the seals on PDF, as PEM, the newest first; for who trusts them."""
    return "".join(
        key.public_key
        for key in reversed(queries.list_keys())
        if key.use == KeyUse.SEAL and key.withdrawn_at is None
    )
