"""Recognition of prior learning: what is offered, portfolios, assessors, decisions, appeals.

A request is about one course. What it can be granted for stands in its own rows, as the course
had it on the day the request was opened: a later change of the course leaves them untouched.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Connection,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from lms.accounts.models import User
from lms.certificates.models import IssuerKey, StatusPlace
from lms.core import clock
from lms.core.db import AnyJSON, ByLanguage, Model, PrimaryKey
from lms.core.models import StoredFile
from lms.courses.models import Course
from lms.directory.models import Organisation
from lms.recognition.models.fees import PriorLearningFee


class RequestState(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    FEE_DUE = "fee_due"  # handed in by the learner, and waits for the fee
    HANDED_IN = "handed_in"
    MORE_ASKED = "more_asked"  # the assessor asks for more evidence
    DECIDED = "decided"
    APPEALED = "appealed"
    CLOSED = "closed"  # decided on appeal
    WITHDRAWN = "withdrawn"


OPEN_STATES = (
    RequestState.DRAFT,
    RequestState.FEE_DUE,
    RequestState.HANDED_IN,
    RequestState.MORE_ASKED,
    RequestState.APPEALED,
)
WITH_ASSESSOR = (RequestState.HANDED_IN, RequestState.APPEALED)


class OutcomeDecision(StrEnum):
    """What an assessor decides about one outcome."""

    GRANTED = "granted"
    NOT_GRANTED = "not_granted"
    MORE_ASKED = "more_asked"


class EvidenceKind(StrEnum):
    """What shows prior learning."""

    FILE = "file"
    LINK = "link"
    EMPLOYER = "employer"
    CREDENTIAL = "credential"


class AssessorRole(StrEnum):
    """Which decision an assessor makes."""

    FIRST = "first"
    APPEAL = "appeal"


def outcome_key(text: ByLanguage) -> str:
    """What tells an outcome of a course apart from others: SHA-256 of its words."""
    words = json.dumps(text, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(words.encode()).hexdigest()


class PriorLearningOffer(Model):
    """A course whose organisation recognises prior learning, and how."""

    __tablename__ = "prior_learning_offers"
    __table_args__ = (
        CheckConstraint("decide_days BETWEEN 1 AND 180", name="decide_days"),
        CheckConstraint("appeal_days BETWEEN 1 AND 90", name="appeal_days"),
        CheckConstraint("keep_months BETWEEN 1 AND 120", name="keep_months"),
    )

    id: Mapped[PrimaryKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), unique=True)
    is_open: Mapped[bool] = mapped_column(default=True)
    guidance: Mapped[ByLanguage] = mapped_column(AnyJSON, default=dict)
    decide_days: Mapped[int] = mapped_column(default=30)  # from handing in to the decision
    appeal_days: Mapped[int] = mapped_column(default=30)  # from the decision to the appeal
    keep_months: Mapped[int] = mapped_column(default=24)  # files, after the end of a request
    version: Mapped[int] = mapped_column()
    course: Mapped[Course] = relationship()
    outcomes: Mapped[list[OfferedOutcome]] = relationship(
        back_populates="offer", order_by="OfferedOutcome.position", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}


class OfferedOutcome(Model):
    """What of a course is waived when one of its outcomes is granted."""

    __tablename__ = "prior_learning_offered_outcomes"
    __table_args__ = (
        UniqueConstraint("offer_id", "position"),
        CheckConstraint("hours >= 0", name="hours"),
    )

    id: Mapped[PrimaryKey]
    offer_id: Mapped[int] = mapped_column(
        ForeignKey("prior_learning_offers.id", ondelete="CASCADE")
    )
    position: Mapped[int]  # among the course's outcomes when it was offered, from 1
    key: Mapped[str]  # of the outcome's words: see outcome_key
    hours: Mapped[float] = mapped_column(default=0.0)
    activities: Mapped[list[str]] = mapped_column(default=list)  # UUIDs
    offer: Mapped[PriorLearningOffer] = relationship(back_populates="outcomes")


class PriorLearningRequest(Model):
    """A person asks that a course recognise what they have learnt elsewhere."""

    __tablename__ = "prior_learning_requests"
    __table_args__ = (
        UniqueConstraint("course_id", "user_id", "number"),
        Index("ix_prior_learning_requests_user_id", "user_id", "id"),
        Index("ix_prior_learning_requests_course_id_state", "course_id", "state", "id"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(default=1)  # of this person's requests for the course
    state: Mapped[str] = mapped_column(default=RequestState.DRAFT)
    shares_with: Mapped[int | None] = mapped_column(
        ForeignKey("organisations.id", ondelete="SET NULL")
    )  # an association whose officers may look, by the learner's consent
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    fee_id: Mapped[int | None] = mapped_column(ForeignKey("prior_learning_fees.id"), index=True)
    fee_paid_at: Mapped[datetime | None]
    fee_waived_at: Mapped[datetime | None]
    handed_in_at: Mapped[datetime | None]
    due_on: Mapped[date | None]  # the day until which a decision is promised
    decided_at: Mapped[datetime | None]
    appeal_until: Mapped[date | None]
    appeal_reason: Mapped[str] = mapped_column(Text, default="")
    ended_at: Mapped[datetime | None] = mapped_column(index=True)  # nothing more can change
    forgotten_at: Mapped[datetime | None]  # its files are deleted
    version: Mapped[int] = mapped_column()
    course: Mapped[Course] = relationship()
    user: Mapped[User] = relationship()
    association: Mapped[Organisation | None] = relationship()
    fee: Mapped[PriorLearningFee | None] = relationship()
    outcomes: Mapped[list[RequestedOutcome]] = relationship(
        back_populates="request", order_by="RequestedOutcome.position", cascade="all, delete-orphan"
    )
    items: Mapped[list[EvidenceItem]] = relationship(
        back_populates="request", order_by="EvidenceItem.id", cascade="all, delete-orphan"
    )
    assessors: Mapped[list[Assessor]] = relationship(
        back_populates="request", order_by="Assessor.id", cascade="all, delete-orphan"
    )
    steps: Mapped[list[PriorLearningStep]] = relationship(
        order_by="PriorLearningStep.id", viewonly=True
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def can_change(self) -> bool:
        """Whether the learner may change the portfolio."""
        return self.state in (RequestState.DRAFT, RequestState.MORE_ASKED)

    @property
    def has_begun(self) -> bool:
        """Whether an assessor has begun: said to be independent, and so seen the evidence."""
        return any(one.declared_at is not None for one in self.assessors)

    @property
    def granted(self) -> list[RequestedOutcome]:
        """The outcomes that are granted in the end."""
        return [one for one in self.outcomes if one.final == OutcomeDecision.GRANTED]

    def assessor(self, role: str) -> Assessor | None:
        """Who makes the first decision, or the one on appeal; the last one who was named."""
        found = [one for one in self.assessors if one.role == role and one.released_at is None]
        return found[-1] if found else None

    @property
    def deciding_role(self) -> AssessorRole:
        """Which assessor the request is with, or was last."""
        is_appeal = self.state in (RequestState.APPEALED, RequestState.CLOSED)
        return AssessorRole.APPEAL if is_appeal and self.appeal_reason else AssessorRole.FIRST

    def may_appeal(self, today: date) -> bool:
        """Whether the learner can appeal: once, in time, and only what was not granted."""
        return (
            self.state == RequestState.DECIDED
            and self.appeal_until is not None
            and today <= self.appeal_until
            and any(one.decision != OutcomeDecision.GRANTED for one in self.outcomes if one.asked)
        )


class RequestedOutcome(Model):
    """One outcome of the course in a request, and what was decided about it."""

    __tablename__ = "prior_learning_outcomes"
    __table_args__ = (UniqueConstraint("request_id", "position"),)

    id: Mapped[PrimaryKey]
    request_id: Mapped[int] = mapped_column(
        ForeignKey("prior_learning_requests.id", ondelete="CASCADE")
    )
    position: Mapped[int]
    text: Mapped[ByLanguage]
    hours: Mapped[float]
    activities: Mapped[list[str]] = mapped_column(default=list)  # UUIDs
    decision: Mapped[str | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    appeal_decision: Mapped[str | None]
    appeal_reason: Mapped[str] = mapped_column(Text, default="")
    request: Mapped[PriorLearningRequest] = relationship(back_populates="outcomes")
    claims: Mapped[list[EvidenceClaim]] = relationship(
        back_populates="outcome", order_by="EvidenceClaim.id", cascade="all, delete-orphan"
    )

    @property
    def asked(self) -> bool:
        """Whether the learner has mapped evidence to it."""
        return bool(self.claims)

    @property
    def final(self) -> str | None:
        """The decision that counts."""
        return self.appeal_decision or self.decision


class EvidenceItem(Model):
    """One piece of a portfolio. Which columns are filled follows from its kind."""

    __tablename__ = "prior_learning_items"

    id: Mapped[PrimaryKey]
    request_id: Mapped[int] = mapped_column(
        ForeignKey("prior_learning_requests.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]
    title: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    sha256: Mapped[str | None]  # of the file, or of the credential's text; stays when it is deleted
    link: Mapped[str | None]
    seen_on: Mapped[date | None]  # the day the learner looked at the link
    employer: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    contact_name: Mapped[str] = mapped_column(default="")
    contact_email: Mapped[str] = mapped_column(default="")
    credential_text: Mapped[str | None] = mapped_column(Text)
    verdict: Mapped[dict[str, Any]] = mapped_column(default=dict)  # as found when it was added
    last_verdict: Mapped[dict[str, Any]] = mapped_column(default=dict)  # and at the decision
    version: Mapped[int] = mapped_column()
    request: Mapped[PriorLearningRequest] = relationship(back_populates="items")
    file: Mapped[StoredFile | None] = relationship()
    claims: Mapped[list[EvidenceClaim]] = relationship(
        back_populates="item", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}


class EvidenceClaim(Model):
    """How a piece of evidence shows an outcome, in the learner's own words."""

    __tablename__ = "prior_learning_claims"
    __table_args__ = (UniqueConstraint("item_id", "outcome_id"),)

    id: Mapped[PrimaryKey]
    item_id: Mapped[int] = mapped_column(ForeignKey("prior_learning_items.id", ondelete="CASCADE"))
    outcome_id: Mapped[int] = mapped_column(
        ForeignKey("prior_learning_outcomes.id", ondelete="CASCADE"), index=True
    )
    words: Mapped[str] = mapped_column(Text)
    item: Mapped[EvidenceItem] = relationship(back_populates="claims")
    outcome: Mapped[RequestedOutcome] = relationship(back_populates="claims")


class Assessor(Model):
    """A person who was named to decide a request, independent of the learner."""

    __tablename__ = "prior_learning_assessors"
    __table_args__ = (Index("ix_prior_learning_assessors_user_id", "user_id", "released_at"),)

    id: Mapped[PrimaryKey]
    request_id: Mapped[int] = mapped_column(
        ForeignKey("prior_learning_requests.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(default=AssessorRole.FIRST)
    named_at: Mapped[datetime] = mapped_column(default=clock.now)
    named_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    declared_at: Mapped[datetime | None]  # said that nothing binds them to the learner
    conflict: Mapped[str] = mapped_column(default="")  # what does, in their own words
    released_at: Mapped[datetime | None]
    request: Mapped[PriorLearningRequest] = relationship(back_populates="assessors")
    user: Mapped[User] = relationship(foreign_keys=[user_id])


class PriorLearningStep(Model):
    """One thing that happened to a request. Rows are only added."""

    __tablename__ = "prior_learning_steps"

    id: Mapped[PrimaryKey]
    request_id: Mapped[int] = mapped_column(
        ForeignKey("prior_learning_requests.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(default=clock.now)
    what: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor: Mapped[User | None] = relationship()


class PriorLearningAward(Model):
    """The credential of what was granted: signed by the site's issuer, evidence by hash alone.

    The newest of a request counts: after an appeal another one takes its place.
    """

    __tablename__ = "prior_learning_awards"

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    request_id: Mapped[int] = mapped_column(
        ForeignKey("prior_learning_requests.id", ondelete="CASCADE"), index=True
    )
    issued_at: Mapped[datetime]
    document: Mapped[str] = mapped_column(Text)
    token: Mapped[str] = mapped_column(Text)
    key_id: Mapped[int] = mapped_column(ForeignKey("certificate_issuer_keys.id"))
    place_id: Mapped[int] = mapped_column(ForeignKey("certificate_status_places.id"))
    request: Mapped[PriorLearningRequest] = relationship()
    key: Mapped[IssuerKey] = relationship()
    place: Mapped[StatusPlace] = relationship()


@event.listens_for(PriorLearningStep, "before_update")
def _refuse_change(mapper: Mapper[Any], connection: Connection, row: PriorLearningStep) -> None:
    """The history is only added to."""
    raise TypeError("a step of a request is never changed")
