"""Credentials as compact JWS (Open Badges 3.0, section 8.2.4; RFC 7515, RFC 7519).

RS256 and Ed25519 are read, and nothing else: an algorithm is never chosen by what a token says
of its key. The text must be the only one for its bytes, so that no sign of it can be changed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from lms.certificates.json_text import BadJson, read_object
from lms.certificates.verifier.claims import instant_of, issuer_of
from lms.certificates.verifier.outcome import CannotCheck, Check, Problem, Refused

PublicKey = Ed25519PublicKey | RSAPublicKey
SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
LONGEST = 400_000  # signs
_TYPES = {"jwt", "vc+jwt", "vc-ld+jwt", "vc+ld+json+jwt"}
_CLAIMS = {"iss", "sub", "jti", "nbf", "exp", "iat", "aud"}
_HEADER = {"alg", "kid", "jwk", "typ", "cty", "iss"}


@dataclass(frozen=True)
class Token:
    """A JWS taken apart; nothing of it is proven."""

    header: Mapping[str, Any]
    document: dict[str, Any]  # the credential: the payload without the claims of the token
    payload: Mapping[str, Any]
    signed: bytes
    signature: bytes


def read_token(text: str) -> Token:
    """Take a compact JWS apart. Raises BadJson when it is none that holds a credential."""
    if len(text) > LONGEST or not SHAPE.fullmatch(text):
        raise BadJson
    parts = text.split(".")
    header, payload = (read_object(decode(part)) for part in parts[:2])
    if set(header) - _HEADER or "d" in (header.get("jwk") or {}):
        raise BadJson
    if str(header.get("typ", "JWT")).lower() not in _TYPES:
        raise BadJson
    document = {name: value for name, value in payload.items() if name not in _CLAIMS}
    for claim, member in (("nbf", "validFrom"), ("exp", "validUntil")):
        if member not in document and claim in payload:  # the claim alone then says it
            document[member] = _instant(payload[claim])
    signed = text.rpartition(".")[0].encode()
    return Token(header, document, payload, signed, decode(parts[2]))


def _instant(seconds: object) -> str:
    if not isinstance(seconds, int) or not 0 <= seconds < 2**33:
        raise BadJson
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decode(text: str) -> bytes:
    """Base64url without padding, in its one spelling. Raises BadJson."""
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise BadJson from None
    if base64.urlsafe_b64encode(found).rstrip(b"=") != text.encode():
        raise BadJson
    return found


def algorithm(token: Token) -> str:
    """RS256 or Ed25519 (RFC 9864; "EdDSA" is its older name). Raises CannotCheck."""
    found = {"RS256": "RS256", "EdDSA": "Ed25519", "Ed25519": "Ed25519"}.get(
        str(token.header.get("alg"))
    )
    if found is None:
        raise CannotCheck(Problem.PROOF_KIND)
    return found


def check_token(token: Token, key: PublicKey) -> None:
    """Prove the signature and that the claims agree with the credential. Raises Refused."""
    wanted = algorithm(token)
    try:
        if wanted == "RS256" and isinstance(key, RSAPublicKey):
            key.verify(token.signature, token.signed, PKCS1v15(), SHA256())
        elif wanted == "Ed25519" and isinstance(key, Ed25519PublicKey):
            key.verify(token.signature, token.signed)
        else:
            raise Refused(Check.SIGNATURE, "a key of another kind")
    except InvalidSignature:
        raise Refused(Check.SIGNATURE, "the signature does not fit") from None
    _check_claims(token)


def _check_claims(token: Token) -> None:
    payload, document = token.payload, token.document
    subject = document.get("credentialSubject")
    same = {
        "iss": issuer_of(document),
        "jti": document.get("id"),
        "sub": subject.get("id") if isinstance(subject, dict) else None,
    }
    for name, value in same.items():
        if name in payload and payload[name] != value:
            raise Refused(Check.SIGNATURE, f"{name} is not what the credential says")
    for name, member in (("nbf", "validFrom"), ("exp", "validUntil")):
        said = instant_of(document.get(member))
        if name in payload and said is not None and payload[name] != int(said.timestamp()):
            raise Refused(Check.SIGNATURE, f"{name} is not what the credential says")


def key_of_jwk(jwk: Mapping[str, Any]) -> PublicKey | None:
    """The public key of a JWK (RFC 7517): RSA of 2048 to 8192 bits, or Ed25519."""
    try:
        if jwk.get("kty") == "RSA":
            modulus, exponent = (
                int.from_bytes(decode(str(jwk[name])), "big") for name in ("n", "e")
            )
            if not 2048 <= modulus.bit_length() <= 8192 or not 3 <= exponent < 2**33:
                return None
            return RSAPublicNumbers(exponent, modulus).public_key()
        if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
            return Ed25519PublicKey.from_public_bytes(decode(str(jwk["x"])))
    except (BadJson, KeyError, ValueError):
        return None
    return None
