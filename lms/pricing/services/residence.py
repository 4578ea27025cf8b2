"""Showing where one lives, deciding on it, and asking for a price that is not stored."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.files import ATTACHMENTS, file_store, keep_file
from lms.core.models import StoredFile
from lms.courses.models import CourseRun
from lms.notifications.services import tell
from lms.pricing import queries
from lms.pricing.errors import AlreadyDecided, ProofWaits
from lms.pricing.models import PriceRequest, ResidenceProof, ResidenceState
from lms.pricing.services.quotes import PriceBook


def show_residence(
    user: User, country: str, note: str, document: tuple[bytes, str] | None = None
) -> ResidenceProof:
    """Ask the administrators to believe where somebody lives.

    document: content and name. Raises ProofWaits, UploadRefused.
    """
    if queries.find_open_proof(user) is not None:
        raise ProofWaits
    kept = keep_file(*document, ATTACHMENTS, user.id) if document else None
    proof = ResidenceProof(
        user_id=user.id, country=country, note=note, document_id=kept.id if kept else None
    )
    db.session.add(proof)
    db.session.flush()
    _tell_administrators("residence", proof=proof.id)
    return proof


def decide_on_proof(proof: ResidenceProof, is_accepted: bool, answer: str, by: User) -> None:
    """Believe it or not, tell the person, and delete the document. Raises AlreadyDecided."""
    if proof.state != ResidenceState.ASKED:
        raise AlreadyDecided
    proof.state = ResidenceState.ACCEPTED if is_accepted else ResidenceState.DECLINED
    proof.answer, proof.decided_at, proof.decided_by_id = answer, clock.now(), by.id
    _forget_document(proof)
    record("pricing.decide_on_proof", proof, by.id, accepted=is_accepted)
    tell(
        proof.user,
        "pricing.residence_decided",
        country=proof.country,
        is_accepted=is_accepted,
        answer=answer,
    )


def _forget_document(proof: ResidenceProof) -> None:
    document, proof.document_id = proof.document, None
    if document is None:
        return
    path = document.path
    proof.document = None
    db.session.flush()
    db.session.delete(document)
    db.session.flush()
    others = select(func.count()).select_from(StoredFile).where(StoredFile.path == path)
    if not db.session.scalar(others):
        file_store().delete(path)


def forget_proofs_of(user_id: int) -> None:
    """Delete all that somebody showed, with the documents."""
    for proof in db.session.scalars(
        select(ResidenceProof).where(ResidenceProof.user_id == user_id)
    ).all():
        _forget_document(proof)
    db.session.execute(delete(ResidenceProof).where(ResidenceProof.user_id == user_id))


def ask_price(run: CourseRun, user: User) -> None:
    """Note that somebody wants a price that is not stored, and tell the administrators once."""
    known = db.session.scalar(
        select(PriceRequest.id).where(
            PriceRequest.run_id == run.id, PriceRequest.user_id == user.id
        )
    )
    if known is not None:
        return
    seen = PriceBook([run], user).terms(run).assessment
    db.session.add(
        PriceRequest(run_id=run.id, user_id=user.id, tier=seen.tier, country=seen.country)
    )
    db.session.flush()
    _tell_administrators("price", course=run.course.title, tier=seen.tier)


def _tell_administrators(what: str, **values: object) -> None:
    administrators = db.session.scalars(
        select(User).where(User.is_administrator, User.closed_at.is_(None))
    ).all()
    for administrator in administrators:
        tell(administrator, "pricing.attention", what=what, **values)


def tell_of_gaps() -> None:
    """Tell the administrators of open runs in which some tiers have no amount."""
    gaps = queries.runs_with_gaps(clock.now())
    if gaps:
        _tell_administrators("gaps", count=len(gaps))
