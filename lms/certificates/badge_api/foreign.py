"""Credentials of other issuers that a client brings for a holder: verified, then kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import unquote

from sqlalchemy import delete, select

from lms.accounts.models import User
from lms.certificates.badge_api import queries
from lms.certificates.badge_api.errors import (
    ContentUnreadable,
    NewerIsKept,
    NotGenuine,
    OfSomebodyElse,
    TooManyKept,
)
from lms.certificates.badge_api.models import ForeignCredential
from lms.certificates.errors import UploadUnreadable
from lms.certificates.models import Credential
from lms.certificates.services import verify
from lms.certificates.uploads import read_upload
from lms.certificates.verifier.claims import Claims, issuer_of
from lms.certificates.verifier.outcome import State
from lms.core import clock
from lms.core.db import db

MOST_KEPT = 200  # of one person
LONGEST = 500  # signs of an identifier
KINDS = {"OpenBadgeCredential", "AchievementCredential"}


@dataclass(frozen=True)
class Brought:
    """A credential that was found genuine. own: of this site, else with what it claims."""

    content: str
    is_token: bool
    document: Mapping[str, Any]
    own: Credential | None
    claims: Claims | None


def check(content: bytes) -> Brought:
    """Verify a credential; other sites may be asked, so nothing is locked meanwhile.

    One that has expired is genuine all the same. Raises ContentUnreadable and NotGenuine.
    """
    try:
        upload = read_upload(content)
        text = content.decode("utf-8-sig").strip()
    except (UploadUnreadable, UnicodeDecodeError):
        raise ContentUnreadable from None
    document = upload.token.document if upload.token is not None else upload.document
    kinds = document.get("type") if document else None
    if document is None or not isinstance(kinds, list) or not KINDS & set(map(str, kinds)):
        raise ContentUnreadable
    verdict = verify.verify_upload(upload)
    if verdict.state not in (State.VALID, State.EXPIRED):
        raise NotGenuine
    return Brought(text, upload.token is not None, document, verdict.credential, verdict.claims)


def keep(user: User, brought: Brought, host: str) -> bool:
    """Keep a credential for a person; whether it took the place of an older edition, or was there.

    host: of the client that brought it. Raises OfSomebodyElse, NewerIsKept and TooManyKept.
    """
    if brought.own is not None:
        if brought.own.user_id != user.id:
            raise OfSomebodyElse
        return True
    claims = brought.claims
    issuer = same_id(issuer_of(brought.document))
    identifier = same_id(str(brought.document.get("id") or ""))
    if claims is None or not 0 < len(issuer) <= LONGEST or not 0 < len(identifier) <= LONGEST:
        raise NotGenuine
    if names_somebody_else(brought.document, user.email):
        raise OfSomebodyElse
    found = queries.find_foreign(user, issuer, identifier)
    if found is None:
        if queries.count_credentials(user, None)[1] >= MOST_KEPT:
            raise TooManyKept
        kept = ForeignCredential(user_id=user.id, issuer=issuer, identifier=identifier)
        db.session.add(kept)
    elif _is_newer(found.valid_from, claims.valid_from):
        raise NewerIsKept
    else:
        kept = found
    kept.issuer_name, kept.title = claims.issuer_name, claims.title
    kept.content, kept.is_token = brought.content, brought.is_token
    kept.valid_from, kept.kept_at, kept.from_host = claims.valid_from, clock.now(), host
    db.session.flush()
    return found is not None


def _is_newer(kept: datetime | None, brought: datetime | None) -> bool:
    return kept is not None and (brought is None or brought < kept)


def same_id(identifier: str) -> str:
    """An identifier as it is compared (Open Badges 3.0, credential equality)."""
    return unquote(identifier).strip()


def names_somebody_else(document: Mapping[str, Any], email: str) -> bool:
    """Whether the credential names its holder by an e-mail address that is another one."""
    subject = document.get("credentialSubject")
    found = subject.get("identifier") if isinstance(subject, dict) else None
    told = [
        entry
        for entry in (found if isinstance(found, list) else [found])
        if isinstance(entry, dict) and entry.get("identityType") == "emailAddress"
    ]
    return bool(told) and not any(_is_of(entry, email) for entry in told)


def _is_of(entry: Mapping[str, Any], email: str) -> bool:
    said, salt = str(entry.get("identityHash", "")), str(entry.get("salt") or "")
    spellings = {email, email.lower()}
    if entry.get("hashed") is not True:
        return said.lower() == email.lower()
    made = [hashlib.sha256((one + salt).encode()).hexdigest() for one in spellings]
    return any(compare_digest(said.lower().encode(), f"sha256${word}".encode()) for word in made)


def remove(kept: ForeignCredential) -> None:
    """Keep it no longer."""
    db.session.delete(kept)
    db.session.flush()


def erase(user_id: int) -> None:
    """Delete what a person keeps of others."""
    db.session.execute(delete(ForeignCredential).where(ForeignCredential.user_id == user_id))


def export(user_id: int) -> list[dict[str, object]]:
    """What a person keeps of others."""
    mine: Sequence[ForeignCredential] = db.session.scalars(
        select(ForeignCredential)
        .where(ForeignCredential.user_id == user_id)
        .order_by(ForeignCredential.id)
    ).all()
    return [
        {
            "title": kept.title,
            "issuer": kept.issuer,
            "kept_at": kept.kept_at,
            "from": kept.from_host,
            "credential": kept.content,
        }
        for kept in mine
    ]
