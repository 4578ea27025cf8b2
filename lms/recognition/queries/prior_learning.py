"""Reads of prior learning: offers, requests, assessors, grants."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.models import AuditEntry
from lms.courses.models import (
    Activity,
    Course,
    CourseRun,
    CourseStaff,
    Enrolment,
    EnrolmentState,
)
from lms.directory.models import OrganisationRole, OrganisationRoleName
from lms.recognition.models import (
    OPEN_STATES,
    Assessor,
    EvidenceItem,
    OutcomeDecision,
    PriorLearningAward,
    PriorLearningFee,
    PriorLearningOffer,
    PriorLearningRequest,
    PriorLearningStep,
    RequestedOutcome,
)


def find_offer(course: Course) -> PriorLearningOffer | None:
    """How the course recognises prior learning."""
    return db.session.scalar(
        select(PriorLearningOffer)
        .where(PriorLearningOffer.course_id == course.id)
        .options(selectinload(PriorLearningOffer.outcomes))
    )


def managers_of(course: Course) -> list[User]:
    """Who manages the organisation in charge of a course."""
    return list(
        db.session.scalars(
            select(User)
            .join(OrganisationRole, OrganisationRole.user_id == User.id)
            .where(
                OrganisationRole.organisation_id == course.owner_id,
                OrganisationRole.role == OrganisationRoleName.MANAGER,
            )
            .order_by(User.id)
        )
    )


def instructors_ever(course: Course) -> set[int]:
    """Ids of those who teach the course or have taught it; the audit log remembers who left."""
    present = db.session.scalars(
        select(CourseStaff.user_id).where(CourseStaff.course_id == course.id)
    )
    former = db.session.scalars(
        select(AuditEntry.details).where(
            AuditEntry.subject_kind == Course.__tablename__,
            AuditEntry.subject_id == str(course.id),
            AuditEntry.act.in_(["courses.add_instructor", "courses.remove_instructor"]),
        )
    )
    return {*present, *(details["user_id"] for details in former if "user_id" in details)}


_WHOLE = (
    joinedload(PriorLearningRequest.course).joinedload(Course.owner),
    joinedload(PriorLearningRequest.user),
    joinedload(PriorLearningRequest.association),
    joinedload(PriorLearningRequest.fee).selectinload(PriorLearningFee.amounts),
    selectinload(PriorLearningRequest.outcomes).selectinload(RequestedOutcome.claims),
    selectinload(PriorLearningRequest.items).options(
        joinedload(EvidenceItem.file), selectinload(EvidenceItem.claims)
    ),
    selectinload(PriorLearningRequest.assessors).joinedload(Assessor.user),
    selectinload(PriorLearningRequest.steps).joinedload(PriorLearningStep.actor),
)


def get_request(identifier: uuid.UUID) -> PriorLearningRequest:
    """A request with all that belongs to it. Raises NotFound."""
    found = db.session.scalar(
        select(PriorLearningRequest).where(PriorLearningRequest.uuid == identifier).options(*_WHOLE)
    )
    if found is None:
        raise NotFound
    return found


def get_item(request: PriorLearningRequest, item_id: int) -> EvidenceItem:
    """A piece of evidence of the request. Raises NotFound."""
    found = next((item for item in request.items if item.id == item_id), None)
    if found is None:
        raise NotFound
    return found


def find_open_request(course: Course, user: User) -> PriorLearningRequest | None:
    """The person's request for the course that is not decided yet."""
    return db.session.scalar(
        select(PriorLearningRequest).where(
            PriorLearningRequest.course_id == course.id,
            PriorLearningRequest.user_id == user.id,
            PriorLearningRequest.state.in_(OPEN_STATES),
        )
    )


def count_requests(course: Course, user: User) -> int:
    """How many requests the person has made for the course."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(PriorLearningRequest)
            .where(
                PriorLearningRequest.course_id == course.id,
                PriorLearningRequest.user_id == user.id,
            )
        )
        or 0
    )


def list_requests_of(user: User) -> Select[PriorLearningRequest]:
    """A person's requests, the newest first."""
    return (
        select(PriorLearningRequest)
        .where(PriorLearningRequest.user_id == user.id)
        .options(joinedload(PriorLearningRequest.course))
        .order_by(PriorLearningRequest.id.desc())
    )


def list_requests_for(course: Course) -> Select[PriorLearningRequest]:
    """Requests for a course that were handed in, the newest first."""
    return (
        select(PriorLearningRequest)
        .where(
            PriorLearningRequest.course_id == course.id,
            PriorLearningRequest.handed_in_at.is_not(None),
        )
        .options(
            joinedload(PriorLearningRequest.user),
            selectinload(PriorLearningRequest.assessors).joinedload(Assessor.user),
        )
        .order_by(PriorLearningRequest.handed_in_at.desc(), PriorLearningRequest.id.desc())
    )


def list_requests_to_assess(user: User) -> Select[PriorLearningRequest]:
    """Requests for which a person is or was named as assessor, the newest first."""
    mine = select(Assessor.request_id).where(
        Assessor.user_id == user.id, Assessor.released_at.is_(None)
    )
    return (
        select(PriorLearningRequest)
        .where(PriorLearningRequest.id.in_(mine))
        .options(
            joinedload(PriorLearningRequest.course), selectinload(PriorLearningRequest.assessors)
        )
        .order_by(PriorLearningRequest.id.desc())
    )


def list_requests_shared_with(association_id: int) -> Select[PriorLearningRequest]:
    """Requests that learners let an association's officers see, the newest first."""
    return (
        select(PriorLearningRequest)
        .where(
            PriorLearningRequest.shares_with == association_id,
            PriorLearningRequest.handed_in_at.is_not(None),
        )
        .options(joinedload(PriorLearningRequest.course), joinedload(PriorLearningRequest.user))
        .order_by(PriorLearningRequest.id.desc())
    )


def assesses(user: User) -> bool:
    """Whether the person is named as assessor of anything."""
    found = select(Assessor.id).where(Assessor.user_id == user.id, Assessor.released_at.is_(None))
    return db.session.scalar(found.limit(1)) is not None


def present_assessor(request: PriorLearningRequest, user: User) -> Assessor | None:
    """The person as an assessor of the request who was not released."""
    found = [one for one in request.assessors if one.user_id == user.id and one.released_at is None]
    return found[-1] if found else None


def active_enrolments(course: Course, user: User) -> Sequence[Enrolment]:
    """The person's enrolments in runs of the course that are under way."""
    return db.session.scalars(
        select(Enrolment)
        .join(Enrolment.run)
        .where(
            CourseRun.course_id == course.id,
            Enrolment.user_id == user.id,
            Enrolment.state == EnrolmentState.ACTIVE,
        )
    ).all()


def outcomes_of_grants(course: Course, user: User) -> list[tuple[RequestedOutcome, bool]]:
    """The course's outcomes as the person's decided requests have them, and what is granted.

    What was granted once stays granted, whatever a later request says.
    """
    found = db.session.scalars(
        select(RequestedOutcome)
        .join(RequestedOutcome.request)
        .where(
            PriorLearningRequest.course_id == course.id,
            PriorLearningRequest.user_id == user.id,
            PriorLearningRequest.decided_at.is_not(None),
        )
        .order_by(PriorLearningRequest.id)
    )
    outcomes: dict[int, tuple[RequestedOutcome, bool]] = {}
    for one in found:
        is_granted = one.final == OutcomeDecision.GRANTED
        if is_granted or not outcomes.get(one.position, (one, False))[1]:
            outcomes[one.position] = (one, is_granted)
    return list(outcomes.values())


def activities_by_uuid(course: Course, names: Iterable[uuid.UUID]) -> Sequence[Activity]:
    """The named activities, as far as they still belong to the course."""
    return db.session.scalars(
        select(Activity).where(Activity.course_id == course.id, Activity.uuid.in_(list(names)))
    ).all()


def find_award(request: PriorLearningRequest) -> PriorLearningAward | None:
    """The newest credential of a request."""
    return db.session.scalar(
        select(PriorLearningAward)
        .where(PriorLearningAward.request_id == request.id)
        .options(joinedload(PriorLearningAward.place))
        .order_by(PriorLearningAward.id.desc())
        .limit(1)
    )


def requests_to_forget() -> Sequence[tuple[PriorLearningRequest, int]]:
    """Requests that have ended and still hold files, each with the months these are kept."""
    rows = db.session.execute(
        select(PriorLearningRequest, func.coalesce(PriorLearningOffer.keep_months, 24))
        .outerjoin(
            PriorLearningOffer, PriorLearningOffer.course_id == PriorLearningRequest.course_id
        )
        .where(
            PriorLearningRequest.ended_at.is_not(None),
            PriorLearningRequest.forgotten_at.is_(None),
        )
        .options(selectinload(PriorLearningRequest.items).joinedload(EvidenceItem.file))
        .order_by(PriorLearningRequest.ended_at)
        .limit(500)
    ).all()
    return [(row[0], row[1]) for row in rows]
