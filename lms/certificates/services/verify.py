"""Verification: what is true of a code or a file, and what was checked to say so.

What this site signed itself is known by a keyed hash; any other signature is proven once for each
document and key and remembered by the process. The register is asked every time, so that a
revocation shows at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import insert

from lms.certificates import data_integrity, queries
from lms.certificates import facts as register
from lms.certificates.codes import read_code
from lms.certificates.errors import CheckNotOfHere
from lms.certificates.json_text import BadJson, read_object
from lms.certificates.models import Credential, IssuerKey, VerificationLog
from lms.certificates.open_badge import fingerprint, issuer_did, verification_method
from lms.certificates.services import keys, report
from lms.certificates.services.signing import was_signed_here
from lms.certificates.uploads import LARGEST_REPORT, Upload
from lms.certificates.verifier import issuers, judge, proofs
from lms.certificates.verifier.claims import instant_of, issuer_of, read_claims
from lms.certificates.verifier.issuers import Issuer, issuer_of_document
from lms.certificates.verifier.outcome import (
    CannotCheck,
    Check,
    Problem,
    Refused,
    State,
    Verdict,
)
from lms.certificates.verifier.tokens import Token
from lms.core import clock
from lms.core.db import db

__all__ = ["Check", "State", "Verdict"]

FRESH_FOR = timedelta(hours=1)  # how long a check may still be put on paper
SECONDS_OF_RECORD = 20.0  # for the certificates of a learner record, which others may have issued


@lru_cache(maxsize=2048)
def _is_genuine(document: str, public_key: str) -> bool:
    return data_integrity.is_genuine(orjson.loads(document), public_key)


def verify_code(typed: str) -> Verdict:
    """The verdict on a code, however it was typed; two queries at most, whatever the answer."""
    return verify_credential(queries.find_by_code(read_code(typed)))


def verify_credential(credential: Credential | None) -> Verdict:
    """The verdict on what the register holds; None is what it does not hold."""
    now = clock.now()
    if credential is None:
        return Verdict(State.UNKNOWN, now)
    text = credential.shown_document
    document = orjson.loads(text)
    key = _key_of(document, credential)
    checks = {
        Check.SIGNATURE: key.withdrawn_at is None
        and (
            was_signed_here(credential, text, key.public_key) or _is_genuine(text, key.public_key)
        ),
        Check.REGISTER: _is_of_register(document, credential),
    }
    return _judge(credential, checks, now)


def _judge(credential: Credential, checks: Mapping[Check, bool | None], now: datetime) -> Verdict:
    is_whole = all(checks.values())
    checks = {
        **checks,
        Check.NOT_REVOKED: not credential.is_revoked,
        Check.NOT_EXPIRED: not credential.is_expired(now),
    }
    if not is_whole:
        state = State.ALTERED
    elif credential.is_superseded:
        state = State.SUPERSEDED
    elif credential.is_revoked:
        state = State.REVOKED
    elif credential.is_expired(now):
        state = State.EXPIRED
    else:
        state = State.VALID
    return Verdict(state, now, credential, checks)


def _key_of(document: Mapping[str, Any], credential: Credential) -> IssuerKey:
    """The issuer's key that the proof names; the credential's own when it names none of ours."""
    try:
        named = data_integrity.proof_of(document)["verificationMethod"]
    except data_integrity.NotVerifiable:
        return credential.key
    if named == verification_method(credential.key.kid):
        return credential.key
    keys = {verification_method(key.kid): key for key in queries.list_keys()}
    return keys.get(named, credential.key)


def _is_of_register(document: Mapping[str, Any], credential: Credential) -> bool:
    """Whether the signed document and the register's entry are about the same thing."""
    entry = document.get("evidence")
    signed = entry[0].get("narrative") if isinstance(entry, list) and entry else None
    return (
        document.get("id") == credential.uuid.urn
        and document.get("issuer", {}).get("id") == issuer_did()
        and signed == register.digest(credential.facts_text)
        and credential.facts["holder"]["name"] == credential.holder_name
    )


def verify_document(
    document: Mapping[str, Any],
    *,
    waits: bool = False,
    known: Mapping[str, Credential] | None = None,
) -> Verdict:
    """The verdict on a document with a Data Integrity proof that somebody shows, of any issuer.

    known: certificates of the register that were looked up already, by the id of their documents.

    Only what Puente itself signed can be equal to what it remembers, so a document that claims to
    be of this site and was made to be hard to check is never canonicalised.
    """
    if issuer_of(document) != issuer_did():
        return judge.judge(document, None, clock.now(), waits=waits)
    identifier = document.get("id")
    if not isinstance(identifier, str):
        return verify_credential(None)
    credential = queries.find_by_urn(identifier) if known is None else known.get(identifier)
    if credential is None:
        return _verify_of_house(document, None)
    now = clock.now()
    is_ours = fingerprint(dict(document)) in credential.document_digests
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    key = _key_of(document, credential)
    checks = {
        Check.SIGNATURE: is_ours and key.withdrawn_at is None and _is_genuine(text, key.public_key),
        Check.REGISTER: is_ours,
    }
    return _judge(credential, checks, now)


def verify_token(token: Token, *, waits: bool = False) -> Verdict:
    """The verdict on a JSON Web Token that somebody shows, of any issuer."""
    document = token.document
    if issuer_of(document) != issuer_did():
        return judge.judge(document, token, clock.now(), waits=waits)
    identifier = document.get("id")
    credential = queries.find_by_urn(identifier) if isinstance(identifier, str) else None
    if credential is None:
        return _verify_of_house(document, token)
    try:
        proofs.prove_token(token, _own)
    except (Refused, CannotCheck):
        is_signed = False
    else:
        is_signed = True
    checks = {
        Check.SIGNATURE: is_signed,
        Check.REGISTER: is_signed and _is_of_register(document, credential),
    }
    return _judge(credential, checks, clock.now())


def _verify_of_house(document: Mapping[str, Any], token: Token | None) -> Verdict:
    """The verdict on a credential that another room had signed with the issuer's key."""
    place = queries.find_status_place(str(document.get("id")))
    if place is None:
        return verify_credential(None)
    now = clock.now()
    try:
        if token is not None:
            proofs.prove_token(token, _own)
        else:
            proofs.prove_document(document, _own)
    except (Refused, CannotCheck):
        return Verdict(State.ALTERED, now, checks={Check.SIGNATURE: False})
    is_clean = place.revoked_at is None
    checks = {Check.ISSUER: True, Check.SIGNATURE: True, Check.NOT_REVOKED: is_clean}
    state = State.VALID if is_clean else State.REVOKED
    return Verdict(state, now, checks=checks, claims=read_claims(document))


def verify_upload(upload: Upload, *, waits: bool = False) -> Verdict:
    """The verdict on what somebody shows, whatever it is. waits: see `verifier.judge`."""
    if upload.document is not None and report.is_report(upload.document):
        return verify_report(upload.document)
    shown = upload.token.document if upload.token is not None else upload.document
    if shown is not None and data_integrity.is_record(shown):
        return verify_record(shown, upload.token, waits=waits)
    if upload.document is not None:
        verdict = verify_document(upload.document, waits=waits)
    elif upload.token is not None:
        verdict = verify_token(upload.token, waits=waits)
    else:
        verdict = verify_code(upload.code or "")
    if verdict.credential is None or upload.pdf_digest is None:
        return verdict
    is_same = upload.pdf_digest in verdict.credential.pdf_digests
    return replace(
        verdict,
        state=verdict.state if is_same else State.ALTERED,
        checks={Check.FILE: is_same, **verdict.checks},
    )


def verify_record(
    document: Mapping[str, Any], token: Token | None = None, *, waits: bool = False
) -> Verdict:
    """The verdict on a learner record (CLR 2.0), and on each certificate in it by its own proof.

    The record holds only when every certificate in it does. Records in records are not read.
    """
    resolve = _own if issuer_of(document) == issuer_did() else issuers.resolve
    verdict = judge.judge(document, token, clock.now(), waits=waits, resolve=resolve)
    if verdict.claims is None:  # nothing of it is proven
        return verdict
    listed = data_integrity.parts_of(document)
    known = queries.find_by_urns({str(part.get("id")) for part in listed})
    until = time.monotonic() + SECONDS_OF_RECORD
    parts = tuple(_part(part, known, until) for part in listed)
    is_whole = bool(parts) and all(part.is_valid for part in parts)
    state = State.PARTLY if verdict.is_valid and not is_whole else verdict.state
    return replace(verdict, state=state, parts=parts)


def _part(document: Mapping[str, Any], known: Mapping[str, Credential], until: float) -> Verdict:
    now = clock.now()
    if data_integrity.is_record(document):
        return Verdict(State.UNCHECKED, now, problem=Problem.TOO_LARGE)
    if time.monotonic() > until:
        return Verdict(State.UNCHECKED, now, problem=Problem.BUSY)
    return verify_document(document, waits=True, known=known)


def credentials_of(verdict: Verdict) -> list[Credential | None]:
    """The certificates of the register that a verdict is about."""
    return [verdict.credential, *(part.credential for part in verdict.parts)]


def _own(_identity: str, _key_address: str) -> Issuer:
    return own_identity()


def verify_report(document: Mapping[str, Any]) -> Verdict:
    """Whether a report of verifications is one, unaltered, of the site that it names."""
    now = clock.now()
    is_own = issuer_of(document) == issuer_did()
    try:
        if is_own:
            proofs.prove_document(document, _own)
        else:
            proofs.prove_document(document)
    except Refused:
        return Verdict(State.ALTERED, now, checks={Check.SIGNATURE: False})
    except CannotCheck as reason:
        checks = {Check.SIGNATURE: None}
        return Verdict(State.UNCHECKED, now, checks=checks, problem=reason.problem)
    checked = {Check.ISSUER: True, Check.SIGNATURE: True}
    return Verdict(State.VALID, now, checks=checked, report=document)


def read_fresh_report(text: str) -> dict[str, Any]:
    """A report that was signed here within the last hour, to be put on paper; nothing is kept of
    what was checked, so the page hands its own report back.

    Raises CheckNotOfHere.
    """
    try:
        document = read_object(text.encode(), LARGEST_REPORT)
    except BadJson:
        raise CheckNotOfHere from None
    if not report.is_report(document) or issuer_of(document) != issuer_did():
        raise CheckNotOfHere
    if not verify_report(document).is_valid:
        raise CheckNotOfHere
    checked_at = instant_of(document.get("checkedAt"))
    if checked_at is None or not clock.now() - FRESH_FOR <= checked_at <= clock.now():
        raise CheckNotOfHere
    return document


def own_identity() -> Issuer:
    """This site as an issuer, from its own register of keys."""
    return issuer_of_document(issuer_did(), keys.did_document())


def note(credentials: Sequence[Credential | None], how: str) -> None:
    """Count looks at certificates: when and how, never by whom."""
    now = clock.now()
    looks = [
        {"credential_id": credential.id, "at": now, "how": how}
        for credential in credentials
        if credential is not None
    ]
    if looks:
        db.session.execute(insert(VerificationLog), looks)
