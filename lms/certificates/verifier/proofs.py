"""Proving that an issuer signed a document or a token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lms.certificates import data_integrity
from lms.certificates.data_integrity import NotCheckable, NotVerifiable
from lms.certificates.verifier import issuers
from lms.certificates.verifier.claims import issuer_of
from lms.certificates.verifier.issuers import Issuer
from lms.certificates.verifier.outcome import CannotCheck, Check, Problem, Refused
from lms.certificates.verifier.tokens import Token, algorithm, check_token, key_of_jwk

Resolve = Callable[[str, str], Issuer]


def prove_document(document: Mapping[str, Any], resolve: Resolve = issuers.resolve) -> None:
    """Prove the one Data Integrity proof of a document by the issuer that it names.

    Raises Refused when it is not what the issuer signed, CannotCheck when that cannot be known.
    """
    try:
        data_integrity.check_shape(document)
        method = str(data_integrity.proof_of(document)["verificationMethod"])
    except NotCheckable as reason:
        raise CannotCheck(_problem(reason)) from None
    except NotVerifiable as reason:
        raise Refused(Check.SIGNATURE, str(reason)) from None
    issuer = issuer_of(document)
    key = _key_named(resolve(issuer, method), method)
    if not isinstance(key, Ed25519PublicKey):
        raise Refused(Check.ISSUER, "the key is of another kind")
    try:
        is_genuine = data_integrity.proves(document, key)
    except NotCheckable as reason:
        raise CannotCheck(_problem(reason)) from None
    except NotVerifiable as reason:
        raise Refused(Check.SIGNATURE, str(reason)) from None
    if not is_genuine:
        raise Refused(Check.SIGNATURE, "the signature does not fit")


def prove_token(token: Token, resolve: Resolve = issuers.resolve) -> None:
    """Prove a JWS by the issuer that its credential names. Raises Refused and CannotCheck."""
    algorithm(token)
    issuer = issuer_of(token.document)
    named, given = token.header.get("kid"), token.header.get("jwk")
    found = resolve(issuer, named if isinstance(named, str) else "")
    if isinstance(named, str):
        key = _key_named(found, named)
    elif isinstance(given, dict):  # believed only when the issuer has published the same key
        wanted = key_of_jwk(given)
        key = next((known for known in found.keys.values() if known == wanted), None)
    else:
        key = next(iter(found.keys.values())) if len(found.keys) == 1 else None
    if key is None:
        raise Refused(Check.ISSUER, "not a key of the issuer")
    check_token(token, key)


def _key_named(issuer: Issuer, address: str) -> Any:
    key = issuer.keys.get(address) or issuer.keys.get(address.rpartition("#")[2])
    if key is None and address.startswith("#"):
        key = issuer.keys.get(f"{issuer.identity}{address}")
    if key is None:
        raise Refused(Check.ISSUER, "not a key of the issuer")
    return key


def _problem(reason: NotCheckable) -> Problem:
    return Problem(reason.problem)
