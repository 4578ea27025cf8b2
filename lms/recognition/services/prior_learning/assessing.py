"""Who decides a request, independent of the learner; the decision, per outcome with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lms.accounts.models import User
from lms.certificates.errors import LinkUnreadable, UploadUnreadable
from lms.certificates.uploads import read_text
from lms.core import audit, clock
from lms.core.db import db
from lms.notifications.services import tell
from lms.recognition import queries
from lms.recognition.errors import NotIndependent, NotWithAssessor, NotYetDeclared
from lms.recognition.models import (
    WITH_ASSESSOR,
    Assessor,
    AssessorRole,
    OutcomeDecision,
    PriorLearningRequest,
    RequestState,
)
from lms.recognition.services.prior_learning import awards, fees
from lms.recognition.services.prior_learning.history import note
from lms.recognition.services.prior_learning.portfolio import (
    judge_credential,
    tell_assessor,
    tell_managers,
)


def require_independent(request: PriorLearningRequest, person: User, role: str) -> None:
    """Refuse an assessor who is not independent. Raises NotIndependent, which says why.

    Never the learner, nobody who teaches or has taught the course, nobody who is named as an
    employer's contact; and an appeal goes to another person than the first decision.
    """
    if person.id == request.user_id:
        raise NotIndependent("learner")
    if person.id in queries.instructors_ever(request.course):
        raise NotIndependent("instructor")
    contacts = {item.contact_email.strip().casefold() for item in request.items}
    if person.email_folded in contacts:
        raise NotIndependent("employer")
    if role == AssessorRole.APPEAL and any(
        one.user_id == person.id for one in request.assessors if one.role == AssessorRole.FIRST
    ):
        raise NotIndependent("first")


def name_assessor(request: PriorLearningRequest, person: User, actor: User) -> Assessor:
    """Give a request to an assessor; the one who had it before has it no more.

    Raises NotWithAssessor and NotIndependent.
    """
    if request.state not in (*WITH_ASSESSOR, RequestState.MORE_ASKED):
        raise NotWithAssessor
    role = request.deciding_role
    require_independent(request, person, role)
    if person.id == actor.id:
        raise NotIndependent("self")
    former = request.assessor(role)
    if former is not None:
        former.released_at = clock.now()
    made = Assessor(user=person, role=role, named_by_id=actor.id)
    request.assessors.append(made)
    note(request, actor, "assessor_named", role=role)
    audit.record("recognition.name_assessor", request, actor.id, assessor_id=person.id)
    tell_assessor(request, person)
    return made


def declare(assessor: Assessor, *, conflict: str) -> None:
    """Say that nothing binds one to the learner, or what does: then somebody else is named.

    conflict: empty when there is none. Raises NotIndependent and NotWithAssessor.
    """
    request = assessor.request
    fees.lock(request)  # a learner may withdraw at the same time, with the fee or without
    if request.state not in (*WITH_ASSESSOR, RequestState.MORE_ASKED):
        raise NotWithAssessor
    require_independent(request, assessor.user, assessor.role)
    if conflict:
        assessor.conflict = conflict
        assessor.released_at = clock.now()
        note(request, assessor.user, "conflict_declared", role=assessor.role)
        tell_managers(request, "conflict")
        return
    assessor.declared_at = assessor.declared_at or clock.now()
    note(request, assessor.user, "independence_declared", role=assessor.role)


def verify_again(request: PriorLearningRequest) -> dict[int, dict[str, Any]]:
    """What verification says now of each credential in the portfolio, by the item's id.

    It may take seconds and keeps nothing.
    """
    found: dict[int, dict[str, Any]] = {}
    for item in request.items:
        if item.credential_text is None:
            continue
        try:
            found[item.id] = judge_credential(read_text(item.credential_text), request.user)
        except (UploadUnreadable, LinkUnreadable):
            found[item.id] = {"state": "unreadable"}
    return found


@dataclass(frozen=True)
class Decision:
    """What is decided about one outcome, and why."""

    decision: OutcomeDecision
    reason: str


def decide(
    assessor: Assessor,
    decisions: Mapping[int, Decision],
    verdicts: Mapping[int, Mapping[str, Any]],
) -> None:
    """Decide about every outcome that was asked for, each with its reason.

    decisions: by the outcome's id. verdicts: what verification says now, by the item's id. When
    more evidence is asked for about one outcome, nothing is decided yet. What is granted counts
    at once. Raises NotWithAssessor, NotYetDeclared and NotIndependent.
    """
    request = assessor.request
    if request.state not in WITH_ASSESSOR or request.assessor(request.deciding_role) != assessor:
        raise NotWithAssessor
    if assessor.declared_at is None:
        raise NotYetDeclared
    require_independent(request, assessor.user, assessor.role)
    for item in request.items:
        if item.id in verdicts:
            item.last_verdict = dict(verdicts[item.id])
    is_appeal = assessor.role == AssessorRole.APPEAL
    wants_more = any(one.decision == OutcomeDecision.MORE_ASKED for one in decisions.values())
    if is_appeal and wants_more:
        raise NotWithAssessor  # the second decision ends it
    for outcome in outcomes_to_decide(request):
        made = decisions[outcome.id]
        if is_appeal:
            outcome.appeal_decision, outcome.appeal_reason = made.decision, made.reason
        else:
            outcome.decision, outcome.reason = made.decision, made.reason
    note(
        request,
        assessor.user,
        "more_asked" if wants_more else "appeal_decided" if is_appeal else "decided",
        outcomes={
            str(outcome.position): {
                "decision": decisions[outcome.id].decision,
                "reason": decisions[outcome.id].reason,
            }
            for outcome in outcomes_to_decide(request, decided=decisions)
        },
    )
    if wants_more:
        request.state = RequestState.MORE_ASKED
        request.due_on = None
    else:
        _settle(request, is_appeal=is_appeal)
    _tell_learner(request)


def outcomes_to_decide(
    request: PriorLearningRequest, *, decided: Mapping[int, object] | None = None
) -> list[Any]:
    """The outcomes about which the present assessor decides; on appeal what was not granted.

    decided: those of them that were decided just now, by id.
    """
    asked = [one for one in request.outcomes if one.asked]
    if decided is not None:
        return [one for one in asked if one.id in decided]
    if request.state == RequestState.APPEALED:
        return [one for one in asked if one.decision != OutcomeDecision.GRANTED]
    return asked


def _settle(request: PriorLearningRequest, *, is_appeal: bool) -> None:
    now = clock.now()
    request.decided_at = now
    request.due_on = None
    if is_appeal:
        request.state = RequestState.CLOSED
        request.ended_at = now
    else:
        request.state = RequestState.DECIDED
        offer = queries.find_offer(request.course)
        days = offer.appeal_days if offer else 30
        request.appeal_until = now.date() + timedelta(days=days)
        if all(one.decision == OutcomeDecision.GRANTED for one in request.outcomes if one.asked):
            request.appeal_until = None  # nothing to appeal against
            request.ended_at = now
    db.session.flush()
    if request.granted:
        awards.apply(request)


def _tell_learner(request: PriorLearningRequest) -> None:
    tell(
        request.user,
        "recognition.prior_learning_decided",
        title=request.course.title,
        portfolio=str(request.uuid),
        state=request.state,
        appeal_until=request.appeal_until.isoformat() if request.appeal_until else None,
    )
