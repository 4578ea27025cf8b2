"""What requests for prior learning hold about a person: export and erasure."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from lms.certificates.services import status
from lms.core.db import db
from lms.recognition.models import Assessor, PriorLearningAward, PriorLearningRequest
from lms.recognition.services.prior_learning.portfolio import drop_file


def _requests_of(user_id: int) -> list[PriorLearningRequest]:
    return list(
        db.session.scalars(
            select(PriorLearningRequest)
            .where(PriorLearningRequest.user_id == user_id)
            .order_by(PriorLearningRequest.id)
        )
    )


def export(user_id: int) -> list[dict[str, Any]]:
    """All requests with evidence, words and decisions."""
    return [
        {
            "course": request.course.slug,
            "state": request.state,
            "opened_at": request.opened_at,
            "fee_paid_at": request.fee_paid_at,
            "fee_waived_at": request.fee_waived_at,
            "handed_in_at": request.handed_in_at,
            "decided_at": request.decided_at,
            "appeal_reason": request.appeal_reason,
            "outcomes": [
                {
                    "text": outcome.text,
                    "decision": outcome.decision,
                    "reason": outcome.reason,
                    "appeal_decision": outcome.appeal_decision,
                    "appeal_reason": outcome.appeal_reason,
                }
                for outcome in request.outcomes
            ],
            "evidence": [
                {
                    "kind": item.kind,
                    "title": item.title,
                    "file": item.file.name if item.file else None,
                    "sha256": item.sha256,
                    "link": item.link,
                    "employer": item.employer,
                    "role": item.role,
                    "contact_name": item.contact_name,
                    "contact_email": item.contact_email,
                    "credential": item.credential_text,
                    "verdict": item.verdict,
                    "shows": [
                        {"outcome": claim.outcome.position, "words": claim.words}
                        for claim in item.claims
                    ],
                }
                for item in request.items
            ],
        }
        for request in _requests_of(user_id)
    ]


def erase(user_id: int) -> None:
    """Delete requests with all evidence and credentials; of these the revoked bit alone stays.

    What the person decided about others stays, without their conflicts of interest.
    """
    for request in _requests_of(user_id):
        for item in request.items:
            drop_file(item)
        awards = db.session.scalars(
            select(PriorLearningAward).where(PriorLearningAward.request_id == request.id)
        ).all()
        for award in awards:
            status.revoke_place(award.place)
            db.session.delete(award)
        db.session.flush()
        db.session.delete(request)
    db.session.execute(update(Assessor).where(Assessor.user_id == user_id).values(conflict=""))
    db.session.flush()
