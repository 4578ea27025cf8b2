"""What a credential says of itself, in the few members that pages show.

Everything here is covered by the signature: documents with members that no context explains are
refused before, and texts come from the very members that were signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_LONGEST = 300  # characters of a shown text


@dataclass(frozen=True)
class Claims:
    """Who says what of whom."""

    issuer: str  # its identity: a DID or an address
    issuer_name: str  # as it calls itself
    title: str
    holder: str  # the name, when the credential tells it
    identifier: str  # of the credential
    hours: float | None
    valid_from: datetime | None
    valid_until: datetime | None
    awarded_at: datetime | None


def issuer_of(document: Mapping[str, Any]) -> str:
    """The identity of the issuer; empty when there is none."""
    issuer = document.get("issuer")
    found = issuer.get("id") if isinstance(issuer, dict) else issuer
    return found if isinstance(found, str) else ""


def read_claims(document: Mapping[str, Any]) -> Claims:
    """What the document says. Wrong types count as not said."""
    subject = _one(document.get("credentialSubject"))
    achievement = _one(subject.get("achievement"))
    issuer = document.get("issuer")
    return Claims(
        issuer=issuer_of(document)[:_LONGEST],
        issuer_name=_text(issuer.get("name")) if isinstance(issuer, dict) else "",
        title=_text(achievement.get("name")) or _text(document.get("name")),
        holder=_holder(subject),
        identifier=_text(document.get("id")),
        hours=_number(subject.get("creditsEarned")),
        valid_from=instant_of(document.get("validFrom") or document.get("issuanceDate")),
        valid_until=instant_of(document.get("validUntil") or document.get("expirationDate")),
        awarded_at=instant_of(document.get("awardedDate")),
    )


def instant_of(value: object) -> datetime | None:
    """An xsd:dateTime with its zone. None for anything else."""
    if not isinstance(value, str) or len(value) > 40 or "T" not in value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


def _one(value: object) -> Mapping[str, Any]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, dict):  # a language-tagged string
        value = value.get("@value")
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _holder(subject: Mapping[str, Any]) -> str:
    found = subject.get("identifier")
    for identity in found if isinstance(found, list) else [found]:
        if isinstance(identity, dict) and identity.get("hashed") is False:
            kind = identity.get("identityType")
            if kind in ("name", "ext:name"):
                return _text(identity.get("identityHash"))
    return _text(subject.get("name"))
