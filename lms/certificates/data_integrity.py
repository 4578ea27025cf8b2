"""Data Integrity proofs of the suite eddsa-rdfc-2022 (W3C VC Data Integrity EdDSA Cryptosuites).

Contexts come from pinned copies beside this file; nothing is ever fetched. PyLD by itself would
leave unknown terms unsigned and drop statements with a relative address, so both are refused
before a document is signed or believed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from threading import Lock
from typing import Any

import base58
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyld import jsonld

from lms.certificates.bounded_rdf import BoundedCanonicalisation, TooHard
from lms.certificates.errors import CannotSign
from lms.certificates.jcs import NotCanonical, canonical_json

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES_3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
LEARNER_RECORDS_2 = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
CONTEXTS = {
    CREDENTIALS_V2: "credentials-v2.json",
    OPEN_BADGES_3: "open-badges-3.0.3.json",
    LEARNER_RECORDS_2: "clr-2.0.1.json",
    # of others, for verification alone
    "https://www.w3.org/2018/credentials/v1": "credentials-v1.json",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": "open-badges-3.0.1.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": "open-badges-3.0.2.json",
}
SUITE = "eddsa-rdfc-2022"
SUITE_JCS = "eddsa-jcs-2022"
MOST_VALUES = 4_000  # members and entries of a document that is verified
MOST_VALUES_OF_RECORD = 12_000
_AT_MEMBERS = {"@context", "@value", "@language", "@direction"}
_ED25519 = b"\xed\x01"  # multicodec
_ABSOLUTE = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>\"{}|\\^`]+$")
_RELATIVE = "relative:"  # scheme of the base, so that addresses that are not absolute show
MAX_DEPTH = 24
_one_at_a_time = Lock()  # PyLD keeps contexts in caches that are not safe for threads


class NotVerifiable(Exception):
    """A document has a shape of which nothing can be proven."""


class NotCheckable(NotVerifiable):
    """A document may be genuine, but that cannot be found out here.

    problem: "context", "proof_kind" or "too_large".
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


def multikey(key: Ed25519PublicKey) -> str:
    """A public key in the Multikey form: "z6Mk..."."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return "z" + base58.b58encode(_ED25519 + raw).decode()


def read_multikey(text: str) -> Ed25519PublicKey:
    """The public key of its Multikey form. Raises NotVerifiable."""
    try:
        raw = base58.b58decode(text.removeprefix("z"))
    except ValueError:
        raise NotVerifiable("not base58") from None
    if not text.startswith("z") or raw[:2] != _ED25519 or len(raw) != 34:
        raise NotVerifiable("not an Ed25519 Multikey")
    return Ed25519PublicKey.from_public_bytes(raw[2:])


@cache
def _context(address: str) -> dict[str, Any]:
    name = CONTEXTS.get(address)
    if name is None:
        raise NotCheckable("context")
    text = files("lms.certificates").joinpath("contexts", name).read_bytes()
    loaded: dict[str, Any] = orjson.loads(text)
    return loaded


def _load(address: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """PyLD's document loader: the pinned copies and nothing else."""
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": address,
        "document": _context(address),
        "tag": "static",  # so that PyLD reads the meaning of its terms once
    }


def _strings(value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every identifier in an expanded document, with the keyword it stands under."""
    if depth > 4 * MAX_DEPTH:
        raise NotVerifiable("nested too deeply")
    if isinstance(value, list):
        for item in value:
            yield from _strings(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not key.startswith("@"):
                yield "property", key
            if key == "@id":
                yield key, item
            elif key == "@type":
                yield from ((key, name) for name in (item if isinstance(item, list) else [item]))
            elif key != "@value":
                yield from _strings(item, depth + 1)


class _Expanded(jsonld.JsonLdProcessor):  # type: ignore[misc]
    """Makes RDF of a document that is expanded already: just what was looked at, and once."""

    def expand(self, input_: Any, options: Mapping[str, Any]) -> Any:
        """The document as it is."""
        return input_


def canonical(document: Mapping[str, Any]) -> str:
    """The document's RDF dataset as sorted N-Quads (RDFC-1.0).

    Raises NotVerifiable when a member would be left out or an identifier is not absolute.
    """
    with _one_at_a_time:
        return _canonical(document)


def _canonical(document: Mapping[str, Any]) -> str:
    dropped: list[Any] = []
    options = {"documentLoader": _load, "base": f"{_RELATIVE}//here/"}
    try:
        expanded = jsonld.expand(
            document, options, on_property_dropped=lambda *found: dropped.append(found)
        )
        if dropped:
            raise NotVerifiable(f"a member has no meaning: {dropped[0]}")
        for where, text in _strings(expanded):
            is_absolute = _ABSOLUTE.match(text) and not text.startswith(_RELATIVE)
            if not is_absolute and not text.startswith("_:"):
                raise NotVerifiable(f"not an absolute address in {where}: {text}")
        dataset = _Expanded().to_rdf(expanded, {"documentLoader": _load})
        quads: str = BoundedCanonicalisation().main(dataset, {"format": "application/n-quads"})
    except TooHard:
        raise NotCheckable("too_large") from None
    except jsonld.JsonLdError as error:
        raise NotVerifiable(f"not JSON-LD of the known contexts: {error.code}") from None
    if not quads:
        raise NotVerifiable("says nothing")
    return quads


def _hash_data(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """The 64 bytes that are signed (Data Integrity EdDSA Cryptosuites, 3.2.4 and 3.3.4)."""
    contexts = {"@context": document["@context"]} if "@context" in document else {}
    is_plain = options["cryptosuite"] == SUITE_JCS
    try:
        texts = [
            (canonical_json if is_plain else canonical)(part)
            for part in ({**contexts, **options}, document)
        ]
    except NotCanonical:
        raise NotCheckable("too_large") from None
    return b"".join(hashlib.sha256(text.encode()).digest() for text in texts)


def instant(at: datetime) -> str:
    """An xsd:dateTime in whole seconds of UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=64)
def _digest_of_options(text: str) -> bytes:
    """The digest of a proof's options: the same for all that is signed in one second."""
    return hashlib.sha256(canonical(orjson.loads(text)).encode()).digest()


def sign(
    document: Mapping[str, Any], key: Ed25519PrivateKey, verification_method: str, at: datetime
) -> dict[str, Any]:
    """The document with its proof, as a list of one as the Open Badges schema wants it.

    Raises CannotSign when a part of it would stay unsigned.
    """
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": instant(at),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
    }
    with_context = orjson.dumps({"@context": document["@context"], **options}).decode()
    try:
        content = hashlib.sha256(canonical(document).encode()).digest()
        signature = key.sign(_digest_of_options(with_context) + content)
    except NotVerifiable as error:
        raise CannotSign(str(error)) from error
    proof = {**options, "proofValue": "z" + base58.b58encode(signature).decode()}
    return {**document, "proof": [proof]}


def sign_plainly(
    document: Mapping[str, Any], key: Ed25519PrivateKey, verification_method: str, at: datetime
) -> dict[str, Any]:
    """The document, which needs no JSON-LD, with a proof of the suite eddsa-jcs-2022."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE_JCS,
        "created": instant(at),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
    }
    signature = key.sign(_hash_data(document, options))
    proof = {**options, "proofValue": "z" + base58.b58encode(signature).decode()}
    return {**document, "proof": proof}


def proof_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The one proof of a document. Raises NotVerifiable."""
    proofs = document.get("proof")
    if isinstance(proofs, dict):
        proofs = [proofs]
    if not isinstance(proofs, list) or not all(isinstance(proof, dict) for proof in proofs):
        raise NotVerifiable("no proof")
    if len(proofs) != 1:
        raise NotCheckable("proof_kind") if proofs else NotVerifiable("no proof")
    proof: dict[str, Any] = proofs[0]
    is_of_suite = proof.get("cryptosuite") in (SUITE, SUITE_JCS)
    if proof.get("type") != "DataIntegrityProof" or not is_of_suite:
        raise NotCheckable("proof_kind")
    if proof.get("proofPurpose") != "assertionMethod":
        raise NotVerifiable("a proof for another purpose")
    if not all(isinstance(proof.get(name), str) for name in ("verificationMethod", "proofValue")):
        raise NotVerifiable("an incomplete proof")
    return proof


def is_record(document: Mapping[str, Any]) -> bool:
    """Whether it is a learner record (CLR 2.0, ClrCredential), which holds other credentials."""
    kinds = document.get("type")
    return isinstance(kinds, list) and "ClrCredential" in kinds


def parts_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The credentials that a learner record holds, each with its own proof; none of others."""
    subject = document.get("credentialSubject")
    if not is_record(document) or not isinstance(subject, dict):
        return []
    found = subject.get("verifiableCredential")
    listed = found if isinstance(found, list) else [found]
    return [part for part in listed if isinstance(part, dict)]


def _check_contexts(document: Mapping[str, Any]) -> None:
    contexts = document.get("@context")
    named = contexts if isinstance(contexts, list) else [contexts]
    if not all(isinstance(name, str) and name in CONTEXTS for name in named):
        raise NotCheckable("context")
    if not str(named[0]).endswith(("/credentials/v2", "/credentials/v1")):
        raise NotCheckable("context")


def check_shape(document: Mapping[str, Any]) -> None:
    """Refuse what could mean something else than it seems to, or take too long.

    Contexts are named at the top alone, and at the top of each credential in a learner record, the
    one of the credentials first, each by the address of a pinned copy; keywords of JSON-LD that
    move statements about are not used. Raises NotVerifiable.
    """
    is_linked = proof_of(document)["cryptosuite"] == SUITE
    parts = parts_of(document)
    if is_linked or document.get("@context") is not None:
        _check_contexts(document)
    for part in parts:
        _check_contexts(part)
    with_context = {id(part) for part in parts}
    most = MOST_VALUES_OF_RECORD if parts else MOST_VALUES
    if not is_linked:
        most = 40 * MOST_VALUES
    values = 0
    waiting: list[Any] = [value for name, value in document.items() if name != "@context"]
    while waiting:
        value = waiting.pop()
        values += 1
        if values > most:
            raise NotCheckable("too_large")
        if isinstance(value, dict):
            if any(name.startswith("@") and name not in _AT_MEMBERS for name in value):
                raise NotVerifiable("a keyword of JSON-LD where none belongs")
            if "@context" in value and id(value) not in with_context:
                raise NotCheckable("context")
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def proves(document: Mapping[str, Any], key: Ed25519PublicKey) -> bool:
    """Whether the proof fits the document and the key.

    Raises NotVerifiable when the document has no shape of which that can be said, NotCheckable
    when it is of a kind that is not known here.
    """
    proof = proof_of(document)
    if not proof["proofValue"].startswith("z"):
        raise NotVerifiable("not base58")
    bare = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if proof["cryptosuite"] == SUITE and not bare.get("@context"):
        raise NotVerifiable("no context")
    try:
        signature = base58.b58decode(proof["proofValue"][1:])
        key.verify(signature, _hash_data(bare, options))
    except (InvalidSignature, ValueError):
        return False
    except RecursionError:
        raise NotCheckable("too_large") from None
    return True


def is_genuine(document: Mapping[str, Any], public_key: str) -> bool:
    """Whether the proof fits the document and the key (Multikey). Never raises for bad input."""
    try:
        return proves(document, read_multikey(public_key))
    except NotVerifiable:
        return False
