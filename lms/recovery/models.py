"""What a course run costs, until when it is decided on, and what was decided."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.money import Money
from lms.courses.models import Course, CourseRun, Enrolment
from lms.scholarships.models import Fund


class CostBasis(StrEnum):
    """How often a cost is paid."""

    FIXED = "fixed"  # once for the run
    PER_LEARNER = "per_learner"


class CostKind(StrEnum):
    """What a cost is for."""

    TEACHING = "teaching"
    WRITING = "writing"
    TRANSLATION = "translation"
    MATERIALS = "materials"
    PLATFORM = "platform"
    CERTIFICATES = "certificates"
    OTHER = "other"


class Decision(StrEnum):
    """What becomes of a run on its decision date."""

    CONFIRM = "confirm"
    DEFER = "defer"
    CANCEL = "cancel"


class RunCost(Model):
    """Something that a course run costs."""

    __tablename__ = "run_costs"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("basis IN ('fixed', 'per_learner')", name="basis"),
    )

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"), index=True)
    basis: Mapped[str]
    kind: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    spent_on: Mapped[date]
    note: Mapped[str] = mapped_column(default="")
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
    run: Mapped[CourseRun] = relationship()


class RunBudget(Model):
    """What is reckoned with for a run, and the day on which it is decided whether it takes place.

    fee_hundredths and share_hundredths: expected fee of the payment service and share of partners,
    in hundredths of a per cent of the price, until the ledger knows the real ones. told_at: when
    administrators were told that the day has come. decided_at: None while it is open.
    """

    __tablename__ = "run_budgets"
    __table_args__ = (
        CheckConstraint("fee_hundredths BETWEEN 0 AND 10000", name="fee"),
        CheckConstraint("share_hundredths BETWEEN 0 AND 10000", name="share"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"), primary_key=True)
    decide_on: Mapped[date | None] = mapped_column(index=True)
    fee_hundredths: Mapped[int] = mapped_column(default=300)
    share_hundredths: Mapped[int] = mapped_column(default=0)
    told_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    run: Mapped[CourseRun] = relationship()

    __mapper_args__ = {"version_id_col": version}


class RunDecision(Model):
    """What somebody decided about a run. old_ and new_starts_on: of a run that was moved."""

    __tablename__ = "run_decisions"

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"), index=True)
    decision: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    old_starts_on: Mapped[date | None]
    new_starts_on: Mapped[date | None]
    decided_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )

    run: Mapped[CourseRun] = relationship()


class MoveAnswer(StrEnum):
    """What a learner of a moved run wants."""

    STAY = "stay"
    LEAVE = "leave"  # and gets the money back


class MoveOffer(Model):
    """One learner of a moved run: stays unless he or she answers otherwise."""

    __tablename__ = "run_move_offers"
    __table_args__ = (UniqueConstraint("decision_id", "enrolment_id"),)

    id: Mapped[PrimaryKey]
    decision_id: Mapped[int] = mapped_column(ForeignKey("run_decisions.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolments.id"), index=True)
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]

    decision: Mapped[RunDecision] = relationship()
    enrolment: Mapped[Enrolment] = relationship()


class Rhythm(StrEnum):
    """How often a report is mailed."""

    WEEKLY = "weekly"  # on Mondays
    MONTHLY = "monthly"  # on the first day


class ReportMail(Model):
    """A report that an administrator asked for by mail. values: its filters, as in its address."""

    __tablename__ = "report_mails"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    report: Mapped[str]
    values: Mapped[dict[str, str]]
    rhythm: Mapped[str]
    next_on: Mapped[date | None] = mapped_column(index=True)  # None: stopped
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    user: Mapped[User] = relationship()


class FunderTable(StrEnum):
    """What a funder may read."""

    RUNS = "runs"  # learners by course run
    COUNTRIES = "countries"  # learners by country
    MONEY = "money"  # invoiced and collected by course run
    FUND = "fund"  # what a scholarship fund did, by course run


class FunderLink(Model):
    """A secret address for a funder: figures alone, for a while, until it is taken back."""

    __tablename__ = "funder_links"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(unique=True)  # SHA-256
    title: Mapped[str]
    tables: Mapped[list[str]]
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)
    fund_id: Mapped[int | None] = mapped_column(ForeignKey("scholarship_funds.id"), index=True)
    first: Mapped[date]
    last: Mapped[date]
    expires_on: Mapped[date]
    revoked_at: Mapped[datetime | None]
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    course: Mapped[Course | None] = relationship()
    fund: Mapped[Fund | None] = relationship()


class FunderLook(Model):
    """One look at the figures of a link. Says when, never who."""

    __tablename__ = "funder_looks"

    id: Mapped[PrimaryKey]
    link_id: Mapped[int] = mapped_column(ForeignKey("funder_links.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
