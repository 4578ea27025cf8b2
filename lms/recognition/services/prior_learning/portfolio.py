"""What a learner does with a request: open it, put evidence together, hand in, withdraw, appeal."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import User
from lms.certificates.names import compare_names
from lms.certificates.services.verify import verify_upload
from lms.certificates.uploads import Upload
from lms.core import clock
from lms.core.db import db
from lms.core.files import ATTACHMENTS, keep_file
from lms.core.outbox import enqueue
from lms.courses.models import Course
from lms.directory.models import Organisation
from lms.notifications.services import tell
from lms.recognition import queries
from lms.recognition.errors import (
    CannotAppeal,
    NothingMapped,
    NotOffered,
    PortfolioClosed,
    TooMuchEvidence,
)
from lms.recognition.models import (
    AssessorRole,
    EvidenceClaim,
    EvidenceItem,
    EvidenceKind,
    OfferedOutcome,
    PriorLearningOffer,
    PriorLearningRequest,
    RequestedOutcome,
    RequestState,
    outcome_key,
)
from lms.recognition.services.prior_learning import fees
from lms.recognition.services.prior_learning.history import note

MOST_ITEMS = 40


def open_request(course: Course, user: User) -> PriorLearningRequest:
    """Begin a request, with the course's outcomes as they are now; the open one when there is one.

    Raises NotOffered.
    """
    found = queries.find_open_request(course, user)
    if found is not None:
        return found
    offer = queries.find_offer(course)
    if offer is None or not offer.is_open or not course.outcomes or not course.is_published:
        raise NotOffered
    terms = terms_of(offer, course)
    request = PriorLearningRequest(
        course=course,
        user=user,
        number=queries.count_requests(course, user) + 1,
        fee=queries.find_fee(course, fees.today()),
    )
    request.outcomes.extend(
        RequestedOutcome(
            position=position,
            text=text,
            hours=terms[position].hours if position in terms else 0.0,
            activities=list(terms[position].activities) if position in terms else [],
        )
        for position, text in enumerate(course.outcomes, 1)
    )
    try:
        with db.session.begin_nested():
            db.session.add(request)
    except IntegrityError:  # opened twice at the same time
        found = queries.find_open_request(course, user)
        if found is None:
            raise
        return found
    note(request, user, "opened")
    return request


def terms_of(offer: PriorLearningOffer | None, course: Course) -> dict[int, OfferedOutcome]:
    """What is offered for the course's outcomes, by their position now.

    Outcomes are told apart by their words: authors move them, and one whose words have changed is
    another one, for which nothing is offered yet.
    """
    known = {one.key: one for one in offer.outcomes} if offer else {}
    return {
        position: known[outcome_key(text)]
        for position, text in enumerate(course.outcomes, 1)
        if outcome_key(text) in known
    }


@dataclass(frozen=True)
class Evidence:
    """What a learner gives as one piece of evidence. file: content and name."""

    kind: EvidenceKind
    title: str
    values: Mapping[str, Any]
    file: tuple[bytes, str] | None = None
    verdict: Mapping[str, Any] | None = None


def judge_credential(upload: Upload, user: User) -> dict[str, Any]:
    """What verification says of a credential from elsewhere, as JSON that can be kept.

    It may take seconds and keeps nothing.
    """
    verdict = verify_upload(upload, waits=True)
    claims, own = verdict.claims, verdict.credential
    holder = claims.holder if claims else ""
    if own is not None:  # a code alone tells no more than the page that verifies it
        holder = own.holder_name if own.user_id == user.id else own.public_name
    found: dict[str, Any] = {
        "state": str(verdict.state),
        "problem": verdict.problem and str(verdict.problem),
        "checked_at": verdict.checked_at.isoformat(timespec="seconds"),
        "issuer": claims.issuer if claims else "",
        "issuer_name": claims.issuer_name if claims else "",
        "title": own.course_title if own else claims.title if claims else "",
        "hours": own.facts["course"]["hours"] if own else claims.hours if claims else None,
        "holder": holder,
        "same_name": str(compare_names(user.name, holder)) if holder else "not_enough",
    }
    return found


def text_of(upload: Upload) -> str:
    """What was shown as the text that is kept: the signed document, the token, or the code."""
    if upload.document is not None:
        return orjson.dumps(upload.document).decode()
    if upload.token is not None:
        signature = base64.urlsafe_b64encode(upload.token.signature).decode().rstrip("=")
        return f"{upload.token.signed.decode()}.{signature}"
    return upload.code or ""


def _require_open(request: PriorLearningRequest) -> None:
    if not request.can_change:
        raise PortfolioClosed


def add_evidence(
    request: PriorLearningRequest, actor: User, evidence: Evidence, claims: Mapping[int, str]
) -> EvidenceItem:
    """Put a piece of evidence into the portfolio.

    claims: what it shows, in the learner's words, by the outcome's id. Raises PortfolioClosed,
    TooMuchEvidence, UploadRefused or UploadTooLarge.
    """
    _require_open(request)
    if len(request.items) >= MOST_ITEMS:
        raise TooMuchEvidence
    item = EvidenceItem(kind=evidence.kind, title=evidence.title, **evidence.values)
    if evidence.file is not None:
        kept = keep_file(evidence.file[0], evidence.file[1], ATTACHMENTS, request.user_id)
        item.file_id, item.sha256 = kept.id, kept.sha256
    if item.credential_text is not None:
        item.sha256 = hashlib.sha256(item.credential_text.encode()).hexdigest()
        item.verdict = dict(evidence.verdict or {})
    request.items.append(item)
    db.session.flush()
    _map(item, request, claims)
    note(request, actor, "evidence_added", item=item.id, kind=item.kind, sha256=item.sha256)
    return item


def change_evidence(
    item: EvidenceItem,
    actor: User,
    *,
    title: str,
    values: Mapping[str, Any],
    claims: Mapping[int, str],
) -> None:
    """Correct what is said of a piece; its file or credential stays. Raises PortfolioClosed."""
    _require_open(item.request)
    item.title = title
    for name, value in values.items():
        setattr(item, name, value)
    _map(item, item.request, claims)
    note(item.request, actor, "evidence_changed", item=item.id)


def _map(item: EvidenceItem, request: PriorLearningRequest, claims: Mapping[int, str]) -> None:
    known = {claim.outcome_id: claim for claim in item.claims}
    for outcome in request.outcomes:
        words = claims.get(outcome.id, "").strip()
        claim = known.get(outcome.id)
        if words and claim is not None:
            claim.words = words
        elif words:
            db.session.add(EvidenceClaim(item=item, outcome=outcome, words=words))
        elif claim is not None:
            outcome.claims.remove(claim)
            item.claims.remove(claim)
    db.session.flush()


def remove_evidence(item: EvidenceItem, actor: User) -> None:
    """Take a piece out of the portfolio; its file is deleted. Raises PortfolioClosed."""
    request = item.request
    _require_open(request)
    note(request, actor, "evidence_removed", item=item.id, kind=item.kind, sha256=item.sha256)
    drop_file(item)
    for claim in list(item.claims):
        claim.outcome.claims.remove(claim)
    request.items.remove(item)
    db.session.flush()


def drop_file(item: EvidenceItem) -> None:
    """Delete the bytes of a piece; its SHA-256 stays."""
    file = item.file
    if file is None:
        return
    item.file = None
    db.session.flush()
    db.session.delete(file)
    enqueue("accounts.remove_bytes", path=file.path)


def hand_in(request: PriorLearningRequest, actor: User) -> None:
    """Give the portfolio to the organisation, or back to the assessor who asked for more; first let
    it wait for its fee, where one is due.

    Raises PortfolioClosed and NothingMapped.
    """
    fees.lock(request)
    _require_open(request)
    if not any(outcome.asked for outcome in request.outcomes):
        raise NothingMapped
    if fees.is_due(request):
        request.state = RequestState.FEE_DUE
        note(request, actor, "fee_due")
        return
    _give_on(request, actor)


def pay_fee(request: PriorLearningRequest) -> None:
    """The fee is there: a portfolio that waited for it goes on, once. Safe to repeat."""
    fees.note_paid(request)
    if request.state == RequestState.FEE_DUE:
        _give_on(request, request.user)


def waive_fee(request: PriorLearningRequest, actor: User, reason: str) -> None:
    """Ask this learner for no fee; a portfolio that waited for it goes on. Raises NoFeeDue."""
    if fees.waive(request, actor, reason):
        _give_on(request, actor)


def _give_on(request: PriorLearningRequest, actor: User) -> None:
    offer = queries.find_offer(request.course)
    now = clock.now()
    request.state = RequestState.HANDED_IN
    request.handed_in_at = now
    request.due_on = now.date() + timedelta(days=offer.decide_days if offer else 30)
    note(request, actor, "handed_in", due_on=request.due_on.isoformat())
    assessor = request.assessor(AssessorRole.FIRST)
    if assessor is not None:
        tell_assessor(request, assessor.user)
    else:
        tell_managers(request, "handed_in")


def tell_managers(request: PriorLearningRequest, what: str) -> None:
    """Tell those who manage the course's organisation that something waits for them."""
    for manager in queries.managers_of(request.course):
        tell(
            manager,
            "recognition.prior_learning_waits",
            what=what,
            title=request.course.title,
            slug=request.course.slug,
        )


def tell_assessor(request: PriorLearningRequest, assessor: User) -> None:
    """Tell an assessor that a request waits for a decision."""
    assert request.due_on is not None  # it was handed in
    tell(
        assessor,
        "recognition.prior_learning_assess",
        title=request.course.title,
        portfolio=str(request.uuid),
        due_on=request.due_on.isoformat(),
    )


def withdraw(request: PriorLearningRequest, actor: User) -> None:
    """End a request that is not decided yet; its fee comes back by the rule.

    Raises PortfolioClosed.
    """
    fees.lock(request)
    if request.state not in (
        RequestState.DRAFT,
        RequestState.FEE_DUE,
        RequestState.HANDED_IN,
        RequestState.MORE_ASKED,
    ):
        raise PortfolioClosed
    request.state = RequestState.WITHDRAWN
    request.ended_at = clock.now()
    note(request, actor, "withdrawn")
    fees.give_back(request, all_of_it=fees.comes_back(request))


def share(request: PriorLearningRequest, actor: User, association: Organisation | None) -> None:
    """Let the officers of an association look at the request, or nobody any more."""
    request.association = association
    note(request, actor, "shared", association=association.slug if association else None)


def appeal(request: PriorLearningRequest, actor: User, reason: str, today: date) -> None:
    """Ask for the decision of another assessor, once and in time. Raises CannotAppeal."""
    if not request.may_appeal(today):
        raise CannotAppeal
    offer = queries.find_offer(request.course)
    request.state = RequestState.APPEALED
    request.appeal_reason = reason
    request.due_on = today + timedelta(days=offer.decide_days if offer else 30)
    note(request, actor, "appealed", due_on=request.due_on.isoformat())
    tell_managers(request, "appealed")


def end_when_nothing_follows(today: date) -> int:
    """End the requests whose time for an appeal is over; returns how many."""
    found = db.session.scalars(
        select(PriorLearningRequest).where(
            PriorLearningRequest.state == RequestState.DECIDED,
            PriorLearningRequest.ended_at.is_(None),
            PriorLearningRequest.appeal_until < today,
        )
    ).all()
    for request in found:
        request.ended_at = clock.now()
        note(request, None, "appeal_over")
    return len(found)


def forget_evidence() -> int:
    """Delete the files, credentials and contacts of requests that ended long enough ago.

    Hashes, words, decisions and history stay. Returns how many requests.
    """
    now = clock.now()
    count = 0
    for request, months in queries.requests_to_forget():
        assert request.ended_at is not None
        if clock.after_months(request.ended_at, months) > now:
            continue
        for item in request.items:
            drop_file(item)
            item.credential_text = None
            item.contact_name = item.contact_email = ""
        request.forgotten_at = now
        note(request, None, "evidence_deleted")
        count += 1
    return count
