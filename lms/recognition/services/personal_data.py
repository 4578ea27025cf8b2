"""What the room keeps about a person: export and erasure."""

from __future__ import annotations

from sqlalchemy import delete, select

from lms.core.db import db
from lms.core.outbox import enqueue
from lms.recognition import queries
from lms.recognition.models import EvidenceLink, MemberConsent
from lms.recognition.services.prior_learning import personal_data as prior_learning


def export(user_id: int) -> dict[str, object]:
    """Consents and credited hours."""
    consents = db.session.scalars(select(MemberConsent).where(MemberConsent.user_id == user_id))
    links = db.session.scalars(select(EvidenceLink).where(EvidenceLink.user_id == user_id))
    return {
        "prior_learning": prior_learning.export(user_id),
        "evidence_links": [
            {
                "certificate": one.credential.code,
                "recipient": one.recipient,
                "created_at": one.created_at,
                "expires_at": one.expires_at,
                "withdrawn_at": one.withdrawn_at,
                "looks": [{"at": look.at, "what": look.what} for look in one.looks],
            }
            for one in links
        ],
        "consents": [
            {
                "association": one.association.slug,
                "given_at": one.given_at,
                "withdrawn_at": one.withdrawn_at,
                "match": one.match,
            }
            for one in consents
        ],
        "hours": [
            {
                "association": entry.association.slug,
                "title": entry.title,
                "provider": entry.provider,
                "awarded_on": entry.awarded_on.isoformat(),
                "hours": entry.hours,
                "category": entry.category,
                "state": entry.state,
                "link": entry.link,
                "file": entry.file.name if entry.file else None,
            }
            for entry in queries.entries_of(user_id)
        ],
    }


def erase(user_id: int) -> None:
    """Forget consents, hours and the files that showed them; audits keep that there was one."""
    prior_learning.erase(user_id)
    for entry in queries.entries_of(user_id):
        file = entry.file
        db.session.delete(entry)
        if file is not None:
            db.session.flush()
            db.session.delete(file)
            enqueue("accounts.remove_bytes", path=file.path)
    db.session.flush()
    db.session.execute(delete(EvidenceLink).where(EvidenceLink.user_id == user_id))
    db.session.execute(delete(MemberConsent).where(MemberConsent.user_id == user_id))
