"""Credentials as JSON Web Tokens (Open Badges 3.0, 8.2: compact JWS, RS256).

The same content as the document with a Data Integrity proof, under the algorithm that every
verifier of Open Badges has to know.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
# small enough to sign quickly, large enough for credentials that are checked in ten years
KEY_BITS = 3072
MAX_TOKEN = 256 * 1024  # signs


def make_private_key() -> bytes:
    """A new RSA key pair, as PKCS 8 in PEM."""
    return RSAKey.generate_key(KEY_BITS, private=True).as_pem(private=True)


@lru_cache(maxsize=8)
def open_private_key(private_pem: bytes) -> RSAKey:
    """A key pair from its PEM. Kept open: each opening proves the primes anew, which is slow."""
    return RSAKey.import_key(private_pem)


def public_jwk(private_pem: bytes) -> str:
    """The public half as a JSON Web Key, in text."""
    public = open_private_key(private_pem).as_dict(private=False)
    return orjson.dumps(
        {name: public[name] for name in ("kty", "n", "e")}, option=orjson.OPT_SORT_KEYS
    ).decode()


def payload_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a credential: its own members at the top, and those that JWT has names for."""
    claims = {name: value for name, value in document.items() if name != "proof"}
    issuer = document["issuer"]
    claims["iss"] = issuer["id"] if isinstance(issuer, dict) else issuer
    claims["jti"] = document["id"]
    claims["nbf"] = _seconds(document["validFrom"])
    if "validUntil" in document:
        claims["exp"] = _seconds(document["validUntil"])
    claims["sub"] = document["credentialSubject"]["id"]
    return claims


def _seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


def sign_token(document: Mapping[str, Any], key: RSAKey, verification_method: str) -> str:
    """The document as a signed token; the same for the same document and key."""
    header = {"alg": ALGORITHM, "kid": verification_method, "typ": "JWT"}
    return jws.serialize_compact(header, orjson.dumps(payload_of(document)), key, [ALGORITHM])


@lru_cache(maxsize=32)
def _public_key(jwk: str) -> RSAKey:
    return RSAKey.import_key(orjson.loads(jwk))


def read_token(token: str, jwk: str) -> dict[str, Any] | None:
    """The claims of a token that this key (a JSON Web Key in text) has signed; else None."""
    if len(token) > MAX_TOKEN:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            found = jws.deserialize_compact(token.encode(), _public_key(jwk), [ALGORITHM])
        claims = orjson.loads(found.payload)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return claims if isinstance(claims, dict) else None
