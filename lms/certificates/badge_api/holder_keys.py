"""The key of a wallet, and the proof that it holds it (OpenID4VCI 1.0, appendix F.1: `jwt`).

A key is named by a DID that holds it (did:key, did:jwk) or given as a JWK; nothing is fetched.
"""

from __future__ import annotations

import base64
import time
import warnings
from typing import Any

import base58
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from itsdangerous import BadSignature, URLSafeTimedSerializer
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from lms.certificates.badge_api.secrets import make_secret
from lms.certificates.json_text import BadJson, read_object
from lms.certificates.verifier.tokens import SHAPE, decode
from lms.core.settings import settings

TYPE = "openid4vci-proof+jwt"
Jwk = dict[str, str | list[str]]
ALGORITHMS = ["ES256", "EdDSA", "Ed25519"]
LONGEST = 8_000  # signs of a proof
NONCE_SECONDS = 300
SKEW = 300  # seconds by which the clock of a wallet may be wrong
_ED25519, _P256 = b"\xed\x01", b"\x80\x24"  # multicodec
_CURVES = {"P-256": ("EC", ("x", "y")), "Ed25519": ("OKP", ("x",))}


class ProofRefused(Exception):
    """A wallet has not proven that it holds its key. error: the code of OpenID4VCI, 8.3.1.2."""

    def __init__(self, error: str) -> None:
        self.error = error
        super().__init__(error)


def _nonces() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret(), salt="wallet-nonce")


def make_nonce() -> str:
    """A challenge for wallets, good for some minutes; none is kept."""
    return _nonces().dumps(make_secret()[:16])


def holder_of(proof: str) -> str:
    """The DID of the key with which this very proof was signed just now. Raises ProofRefused."""
    if len(proof) > LONGEST or not SHAPE.fullmatch(proof):
        raise ProofRefused("invalid_proof")
    try:
        header = read_object(decode(proof.split(".")[0]))
        named = [name for name in ("kid", "jwk", "x5c") if name in header]
        if header.get("typ") != TYPE or header.get("alg") not in ALGORITHMS or len(named) != 1:
            raise ProofRefused("invalid_proof")
        did, jwk = _of_jwk(header["jwk"]) if named == ["jwk"] else _of_did(header.get("kid"))
        key = OKPKey.import_key(jwk) if jwk["kty"] == "OKP" else ECKey.import_key(jwk)
        with warnings.catch_warnings(action="ignore"):  # EdDSA is the older name of Ed25519
            found = jws.deserialize_compact(proof.encode(), key, ALGORITHMS)
        said = read_object(found.payload)
    except (JoseError, BadJson, ValueError, KeyError, TypeError):
        raise ProofRefused("invalid_proof") from None
    _check_claims(said)
    return did


def _check_claims(said: dict[str, Any]) -> None:
    at, nonce = said.get("iat"), said.get("nonce")
    if said.get("aud") != settings().base_url or not isinstance(nonce, str):
        raise ProofRefused("invalid_proof")
    if not isinstance(at, (int, float)) or abs(time.time() - at) > SKEW:
        raise ProofRefused("invalid_proof")
    try:
        _nonces().loads(nonce, max_age=NONCE_SECONDS)
    except BadSignature:
        raise ProofRefused("invalid_nonce") from None


def _public(jwk: Any) -> Jwk:
    """The public members of a key on one of our curves. Raises ValueError."""
    kind, members = _CURVES.get(str(jwk["crv"]), ("", ()))
    if not kind or jwk.get("kty") != kind or "d" in jwk:
        raise ValueError("not a public key that is known here")
    return {"kty": kind, "crv": str(jwk["crv"]), **{name: str(jwk[name]) for name in members}}


def _of_jwk(jwk: Any) -> tuple[str, Jwk]:
    """The did:jwk that holds a key, and the key."""
    if not isinstance(jwk, dict):
        raise ValueError("no key")
    public = _public(jwk)
    text = orjson.dumps(public, option=orjson.OPT_SORT_KEYS)
    return f"did:jwk:{_base64url(text)}", public


def _of_did(address: Any) -> tuple[str, Jwk]:
    """The DID of a DID URL, and the key that it holds."""
    did = str(address).partition("#")[0]
    method, _colon, text = did.removeprefix("did:").partition(":")
    if method == "jwk":
        return did, _public(read_object(decode(text)))
    if method != "key" or not text.startswith("z") or len(text) > 100:
        raise ValueError("a DID of another method")
    raw = base58.b58decode(text[1:])
    if raw.startswith(_ED25519) and len(raw) == 34:
        return did, {"kty": "OKP", "crv": "Ed25519", "x": _base64url(raw[2:])}
    if raw.startswith(_P256) and len(raw) == 35:
        return did, _uncompressed(raw[2:])
    raise ValueError("a key of another kind")


def _uncompressed(point: bytes) -> Jwk:
    numbers = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point).public_numbers()
    x, y = (_base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
