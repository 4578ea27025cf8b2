"""What the prices keep about a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from lms.core.db import db
from lms.core.personal_data import PersonalData
from lms.pricing.models import PriceRequest, Quote, ResidenceProof
from lms.pricing.services.residence import forget_proofs_of


def _export(user_id: int) -> Any:
    proofs = db.session.scalars(select(ResidenceProof).where(ResidenceProof.user_id == user_id))
    quotes = db.session.scalars(select(Quote).where(Quote.user_id == user_id).order_by(Quote.id))
    return {
        "residence": [
            {
                "country": proof.country,
                "note": proof.note,
                "state": proof.state,
                "answer": proof.answer,
                "created_at": proof.created_at.isoformat(),
                "decided_at": proof.decided_at.isoformat() if proof.decided_at else None,
            }
            for proof in proofs
        ],
        "quotes": [
            {
                "uuid": str(quote.uuid),
                "country": quote.country,
                "tier": quote.tier,
                "currency": quote.currency,
                "price_minor": quote.price_minor,
                "total_minor": quote.total_minor,
                "steps": quote.steps,
                "made_at": quote.made_at.isoformat(),
            }
            for quote in quotes
        ],
    }


def _erase(user_id: int) -> None:
    forget_proofs_of(user_id)
    db.session.execute(delete(PriceRequest).where(PriceRequest.user_id == user_id))
    db.session.execute(update(Quote).where(Quote.user_id == user_id).values(user_id=None))


PERSONAL_DATA = PersonalData("pricing", _export, _erase)
