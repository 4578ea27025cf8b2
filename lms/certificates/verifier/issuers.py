"""Who an issuer is: the keys with which it may sign credentials (did:web, did:key, JWKS).

A DID document counts when it bears the very identity that was asked for; a key when the document
names it under `assertionMethod` (W3C Controlled Identifiers 1.0, section 2.3.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from lms.certificates.data_integrity import NotVerifiable, read_multikey
from lms.certificates.json_text import BadJson, read_object
from lms.certificates.verifier.keeping import Kept
from lms.certificates.verifier.outcome import CannotCheck, Problem
from lms.certificates.verifier.tokens import PublicKey, key_of_jwk
from lms.core.errors import DomainError
from lms.core.outgoing import fetch
from lms.core.settings import settings

LARGEST = 64 * 1024  # bytes of a DID document or key set
SECONDS = 4.0
_HOST = re.compile(r"[a-z0-9.-]+(%3A\d{1,5})?", re.IGNORECASE)
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")
_HERE = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Issuer:
    """An identity and the keys with which it signs, by the address of each."""

    identity: str
    keys: Mapping[str, PublicKey]


_kept: Kept[Issuer] = Kept(seconds=300, most=256)


def resolve(identity: str, key_address: str) -> Issuer:
    """The issuer with this identity. Raises CannotCheck.

    key_address: where the proof says that its key is; it matters for issuers that are known by an
    https address, whose keys stand in a key set at the same host.
    """
    if identity.startswith("did:key:"):
        return _of_did_key(identity)
    if identity.startswith("did:web:"):
        return _kept.get(identity, lambda: _of_did_web(identity))
    if identity.startswith("https://") and key_address.startswith("https://"):
        address = key_address.partition("#")[0]
        if _origin(identity) != _origin(address):
            raise CannotCheck(Problem.ISSUER_KIND)
        return _kept.get(f"{identity} {address}", lambda: _of_key_set(identity, address))
    raise CannotCheck(Problem.ISSUER_KIND)


def _origin(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        raise CannotCheck(Problem.ISSUER_KIND) from None


def _of_did_key(identity: str) -> Issuer:
    name = identity.removeprefix("did:key:")
    try:
        return Issuer(identity, {f"{identity}#{name}": read_multikey(name)})
    except NotVerifiable:
        raise CannotCheck(Problem.ISSUER_KIND) from None


def address_of(identity: str) -> str:
    """Where the document of a did:web lies. Raises CannotCheck for a name with tricks."""
    host, *path = identity.removeprefix("did:web:").split(":")
    is_plain = _HOST.fullmatch(host) and all(
        _SEGMENT.fullmatch(step) and step.strip(".") for step in path
    )
    bare = host.partition("%")[0].lower()
    is_here = bare in _HERE and settings().verify_local
    is_number = bare.replace(".", "").isdigit()
    if not is_plain or (is_number and not is_here) or len(identity) > 500:
        raise CannotCheck(Problem.ISSUER_KIND)
    scheme = "http" if is_here else "https"
    place = "/".join(path) if path else ".well-known"
    return f"{scheme}://{unquote(host)}/{place}/did.json"


def _fetch(address: str, accept: str) -> dict[str, Any]:
    try:
        return read_object(fetch(address, at_most=LARGEST, seconds=SECONDS, accept=accept))
    except (OSError, DomainError, BadJson):
        raise CannotCheck(Problem.ISSUER_AWAY) from None


def _of_did_web(identity: str) -> Issuer:
    document = _fetch(address_of(identity), "application/did+json, application/json")
    return issuer_of_document(identity, document)


def issuer_of_document(identity: str, document: Mapping[str, Any]) -> Issuer:
    """The issuer that a DID document describes. Raises CannotCheck."""
    if document.get("id") != identity:
        raise CannotCheck(Problem.ISSUER_AWAY)
    methods = {
        _full(identity, method.get("id")): method
        for method in _objects(document.get("verificationMethod"))
    }
    keys: dict[str, PublicKey] = {}
    asserting = document.get("assertionMethod")
    for entry in asserting if isinstance(asserting, list) else [asserting]:
        method = entry if isinstance(entry, dict) else methods.get(_full(identity, entry), {})
        address = _full(identity, method.get("id"))
        key = _key_of_method(method)
        if address and key is not None and method.get("controller", identity) == identity:
            keys[address] = key
    return Issuer(identity, keys)


def _full(identity: str, address: object) -> str:
    if not isinstance(address, str):
        return ""
    return f"{identity}{address}" if address.startswith("#") else address


def _objects(value: object) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


def _key_of_method(method: Mapping[str, Any]) -> PublicKey | None:
    multibase, jwk = method.get("publicKeyMultibase"), method.get("publicKeyJwk")
    if isinstance(multibase, str):
        try:
            return read_multikey(multibase)
        except NotVerifiable:
            return None
    return key_of_jwk(jwk) if isinstance(jwk, dict) else None


def _of_key_set(identity: str, address: str) -> Issuer:
    document = _fetch(address, "application/jwk-set+json, application/json")
    found = document.get("keys") if "keys" in document else [document]
    keys: dict[str, PublicKey] = {}
    for jwk in _objects(found):
        key = key_of_jwk(jwk)
        if key is not None:
            name = jwk.get("kid")
            keys[name if isinstance(name, str) else address] = key
    return Issuer(identity, keys)
