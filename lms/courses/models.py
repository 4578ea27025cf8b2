"""Courses, course runs, modules, activities, enrolments and progress."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import AnyJSON, BigInt, ByLanguage, Model, PrimaryKey
from lms.core.models import StoredFile
from lms.core.money import Money
from lms.directory.models import Organisation

MIN_DAYS, MAX_DAYS = 14, 28  # length of a run without an administrator's allowance


class Level(StrEnum):
    """How much a course asks of its learners beforehand."""

    INTRODUCTORY = "introductory"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class PublicationState(StrEnum):
    """Whether a course or a run is shown to the public."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"  # runs only


class Release(StrEnum):
    """When the modules of a run open."""

    BY_WEEK = "by_week"
    AT_ONCE = "at_once"


class EnrolmentState(StrEnum):
    """Where a person's enrolment in a run stands."""

    WAITLISTED = "waitlisted"
    OFFERED = "offered"  # a freed seat, held until `offer_expires_at`
    PENDING_PAYMENT = "pending_payment"  # a seat held until `offer_expires_at`
    ACTIVE = "active"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    REFUNDED = "refunded"
    EXPIRED = "expired"


HOLDS_SEAT = (
    EnrolmentState.OFFERED,
    EnrolmentState.PENDING_PAYMENT,
    EnrolmentState.ACTIVE,
    EnrolmentState.COMPLETED,
)
STUDIES = (EnrolmentState.ACTIVE, EnrolmentState.COMPLETED)

course_partners = Table(
    "course_partners",
    Model.metadata,
    Column("course_id", ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), primary_key=True, index=True),
)


class Topic(Model):
    """A field of learning; topics are data, never code."""

    __tablename__ = "topics"

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[ByLanguage]
    position: Mapped[int] = mapped_column(default=0)


class Course(Model):
    """The reusable description and content of a course, in one or more languages."""

    __tablename__ = "courses"
    __table_args__ = (CheckConstraint("minimum_grade BETWEEN 0 AND 1", name="minimum_grade"),)

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[ByLanguage]
    summary: Mapped[ByLanguage] = mapped_column(default=dict)
    description: Mapped[ByLanguage] = mapped_column(default=dict)  # Markdown
    audience: Mapped[ByLanguage] = mapped_column(default=dict)
    requirements: Mapped[ByLanguage] = mapped_column(default=dict)
    outcomes: Mapped[list[dict[str, str]]] = mapped_column(default=list)
    faq: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # {question, answer}
    signatories: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id"), index=True)
    level: Mapped[str] = mapped_column(default=Level.INTRODUCTORY)
    hours: Mapped[float]  # a learner's working hours
    weeks: Mapped[int]
    languages: Mapped[list[str]]
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    minimum_grade: Mapped[float | None]  # 0..1, mean of required graded activities
    certificate_months: Mapped[int | None]  # how long a certificate is valid; None: for ever
    license: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=PublicationState.DRAFT, index=True)
    search_text: Mapped[str] = mapped_column(default="")  # folded, all languages
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    version: Mapped[int] = mapped_column()

    topic: Mapped[Topic | None] = relationship()
    owner: Mapped[Organisation] = relationship()
    partners: Mapped[list[Organisation]] = relationship(
        secondary=course_partners, order_by="Organisation.slug"
    )
    modules: Mapped[list[Module]] = relationship(
        back_populates="course", cascade="all, delete-orphan", order_by="Module.position"
    )
    runs: Mapped[list[CourseRun]] = relationship(
        back_populates="course", order_by="CourseRun.starts_on"
    )
    staff: Mapped[list[CourseStaff]] = relationship(
        back_populates="course", cascade="all, delete-orphan", order_by="CourseStaff.id"
    )
    credits: Mapped[list[CourseCredit]] = relationship(
        back_populates="course", cascade="all, delete-orphan"
    )
    media: Mapped[list[CourseMedia]] = relationship(
        back_populates="course", cascade="all, delete-orphan", order_by="CourseMedia.name"
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_published(self) -> bool:
        """Whether the public sees it."""
        return self.state == PublicationState.PUBLISHED


class CourseCredit(Model):
    """An association credits this course with hours of continuing education."""

    __tablename__ = "course_credits"
    __table_args__ = (UniqueConstraint("course_id", "organisation_id"),)

    id: Mapped[PrimaryKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    hours: Mapped[float]
    reference: Mapped[str | None]  # the association's own number
    course: Mapped[Course] = relationship(back_populates="credits")
    organisation: Mapped[Organisation] = relationship()


class CourseStaff(Model):
    """A person who writes and teaches a course, for an organisation."""

    __tablename__ = "course_staff"
    __table_args__ = (UniqueConstraint("course_id", "user_id"),)

    id: Mapped[PrimaryKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    biography: Mapped[ByLanguage] = mapped_column(default=dict)
    course: Mapped[Course] = relationship(back_populates="staff")
    user: Mapped[User] = relationship()
    organisation: Mapped[Organisation | None] = relationship()


class CourseMedia(Model):
    """A picture or file of a course, named as its texts refer to it: media/<name>."""

    __tablename__ = "course_media"
    __table_args__ = (UniqueConstraint("course_id", "name"),)

    id: Mapped[PrimaryKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    name: Mapped[str]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"))
    course: Mapped[Course] = relationship(back_populates="media")
    file: Mapped[StoredFile] = relationship(lazy="joined", innerjoin=True)


class CourseRun(Model):
    """A course with dates: the thing one enrols in. schema.org CourseInstance."""

    __tablename__ = "course_runs"
    __table_args__ = (
        UniqueConstraint("course_id", "slug"),
        Index("ix_course_runs_state_starts_on", "state", "starts_on"),
        Index("ix_course_runs_course_id_starts_on", "course_id", "starts_on", "id"),
        CheckConstraint("ends_on >= starts_on", name="dates"),
        CheckConstraint("price_minor >= 0", name="price"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    slug: Mapped[str]  # unique within the course: "2027-02"
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    time_zone: Mapped[str]  # IANA
    language: Mapped[str]  # of teaching and forums; contents follow the reader where translated
    capacity: Mapped[int | None]
    price: Mapped[Money] = composite(
        mapped_column("price_minor", BigInt, default=0), mapped_column("price_currency")
    )
    enrolment_opens_at: Mapped[datetime | None]
    enrolment_closes_at: Mapped[datetime | None]
    release: Mapped[str] = mapped_column(default=Release.BY_WEEK)
    state: Mapped[str] = mapped_column(default=PublicationState.DRAFT)
    length_allowed_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL")
    )  # administrator who allowed a run shorter than 14 or longer than 28 days
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column()

    course: Mapped[Course] = relationship(back_populates="runs")

    __mapper_args__ = {"version_id_col": version}

    @property
    def days(self) -> int:
        """Length in days, first and last included."""
        return (self.ends_on - self.starts_on).days + 1

    @property
    def starts_at(self) -> datetime:
        """The instant at which the first day begins in the run's zone."""
        return clock.start_of_day(self.starts_on, self.time_zone)

    @property
    def ends_at(self) -> datetime:
        """The last second of the last day in the run's zone."""
        return clock.end_of_day(self.ends_on, self.time_zone)

    def released_at(self, module: Module) -> datetime:
        """When a module opens in this run."""
        if self.release == Release.AT_ONCE:
            return self.starts_at
        day = module.release_day or 7 * (module.position - 1) + 1
        return clock.start_of_day(self.starts_on + timedelta(days=day - 1), self.time_zone)

    def due_at(self, activity: Activity) -> datetime | None:
        """Until when an activity is to be done: the end of its due day in the run's zone."""
        if activity.due_day is None:
            return None
        day = self.starts_on + timedelta(days=activity.due_day - 1)
        return clock.end_of_day(min(day, self.ends_on), self.time_zone)


class Module(Model):
    """A part of a course, usually a week; `position` counts from 1."""

    __tablename__ = "modules"
    __table_args__ = (UniqueConstraint("course_id", "slug"),)

    id: Mapped[PrimaryKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    slug: Mapped[str]
    position: Mapped[int]
    title: Mapped[ByLanguage]
    summary: Mapped[ByLanguage] = mapped_column(default=dict)
    release_day: Mapped[int | None]  # day of the run, 1 = first; week by position when empty
    course: Mapped[Course] = relationship(back_populates="modules")
    activities: Mapped[list[Activity]] = relationship(
        back_populates="module", cascade="all, delete-orphan", order_by="Activity.position"
    )


class Activity(Model):
    """Something to do. Its `kind` names the activity type, a plugin."""

    __tablename__ = "activities"
    __table_args__ = (UniqueConstraint("course_id", "slug"),)

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    module_id: Mapped[int] = mapped_column(ForeignKey("modules.id", ondelete="CASCADE"), index=True)
    slug: Mapped[str]
    position: Mapped[int]
    kind: Mapped[str]
    title: Mapped[ByLanguage]
    text: Mapped[ByLanguage] = mapped_column(default=dict)  # Markdown
    is_required: Mapped[bool] = mapped_column(default=True)
    minutes: Mapped[int | None]
    due_day: Mapped[int | None]  # day of the run, 1 = first
    completion: Mapped[str] = mapped_column(default="viewed")  # a rule of the activity type
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)  # shape: the type's
    is_published: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column()

    course: Mapped[Course] = relationship()
    module: Mapped[Module] = relationship(back_populates="activities")

    __mapper_args__ = {"version_id_col": version}


class Enrolment(Model):
    """A person in a course run. `registration` is the xAPI registration."""

    __tablename__ = "enrolments"
    __table_args__ = (
        UniqueConstraint("run_id", "user_id"),
        Index("ix_enrolments_run_id_state", "run_id", "state"),
        Index("ix_enrolments_user_id_state", "user_id", "state"),
        CheckConstraint("grade BETWEEN 0 AND 1", name="grade"),
    )

    id: Mapped[PrimaryKey]
    registration: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str] = mapped_column(default=EnrolmentState.ACTIVE)
    method: Mapped[str]  # name of the enrolment method: free, payment, voucher, administrator
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    enrolled_at: Mapped[datetime | None] = mapped_column(index=True)  # became active
    completed_at: Mapped[datetime | None] = mapped_column(index=True)
    waiting_since: Mapped[datetime | None]  # orders the waiting list
    offer_expires_at: Mapped[datetime | None] = mapped_column(index=True)
    last_activity_id: Mapped[int | None] = mapped_column(
        ForeignKey("activities.id", ondelete="SET NULL")
    )
    last_seen_at: Mapped[datetime | None]
    grade: Mapped[float | None]  # 0..1
    waived_hours: Mapped[float] = mapped_column(default=0.0)  # of the course's, not attended
    is_owed: Mapped[bool] = mapped_column(default=False)  # the certificate waits for a payment
    paused_at: Mapped[datetime | None]  # closed until what is owed is paid; nothing is deleted
    version: Mapped[int] = mapped_column()

    run: Mapped[CourseRun] = relationship()
    user: Mapped[User] = relationship()
    progress: Mapped[list[Progress]] = relationship(
        back_populates="enrolment", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def has_place(self) -> bool:
        """Whether the person is in the run, be it that access is paused."""
        return self.state in STUDIES

    @property
    def may_study(self) -> bool:
        """Whether the contents are open to this person: the one gate of all study pages."""
        return self.has_place and self.paused_at is None

    @property
    def is_paid(self) -> bool:
        """Whether money was paid for the place, or is to be paid."""
        free = ("free", "voucher", "scholarship", "administrator", "waiting_list", "seat")
        return self.method not in free


class Progress(Model):
    """How far one enrolment is with one activity.

    Waived: it counts without having been done, since the person has shown elsewhere what it
    teaches; `started_at` is then the same instant until the person opens it.
    """

    __tablename__ = "progress"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "activity_id"),
        Index("ix_progress_activity_id_completed_at", "activity_id", "completed_at"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
    )

    id: Mapped[PrimaryKey]
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolments.id", ondelete="CASCADE"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    completed_at: Mapped[datetime | None]
    waived_at: Mapped[datetime | None]
    score: Mapped[float | None]  # 0..1, graded activities only
    is_passed: Mapped[bool | None]
    enrolment: Mapped[Enrolment] = relationship(back_populates="progress")
    activity: Mapped[Activity] = relationship()

    @property
    def is_waived(self) -> bool:
        """Whether it counts without having been done."""
        return self.waived_at is not None and self.completed_at is None

    @property
    def is_opened(self) -> bool:
        """Whether the person has ever opened the activity."""
        return self.started_at != self.waived_at

    @property
    def is_graded_nothing(self) -> bool:
        """Whether it is waived and has no score, so that no grade can be made of it."""
        return self.waived_at is not None and self.score is None

    @classmethod
    def counts(cls) -> ColumnElement[bool]:
        """For statements: done, or waived."""
        return cls.completed_at.is_not(None) | cls.waived_at.is_not(None)


class Playback(Model):
    """What one enrolment has watched of one film, over all sittings."""

    __tablename__ = "playbacks"
    __table_args__ = (UniqueConstraint("enrolment_id", "activity_id"),)

    id: Mapped[PrimaryKey]
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolments.id", ondelete="CASCADE"))
    activity_id: Mapped[int] = mapped_column(
        ForeignKey("activities.id", ondelete="CASCADE"), index=True
    )
    segments: Mapped[list[list[float]]] = mapped_column(AnyJSON, default=list)  # seconds: from, to
    progress: Mapped[float] = mapped_column(default=0.0)  # 0..1, the share watched
    seconds: Mapped[float] = mapped_column(default=0.0)  # spent watching
    completed_at: Mapped[datetime | None]
    sessions: Mapped[list[PlaybackSession]] = relationship(cascade="all, delete-orphan")


class PlaybackSession(Model):
    """One sitting before a film; its UUID is the id of its first statement."""

    __tablename__ = "playback_sessions"

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(unique=True)
    playback_id: Mapped[int] = mapped_column(
        ForeignKey("playbacks.id", ondelete="CASCADE"), index=True
    )
    last_number: Mapped[int] = mapped_column(default=0)  # of the moments that were recorded
    playing_from: Mapped[float | None]  # seconds into the film, while it plays
    playing_since: Mapped[datetime | None]
    has_ended: Mapped[bool] = mapped_column(default=False)


class CalendarFeed(Model):
    """Which address of a person's calendar feed is valid; none was renewed without a row."""

    __tablename__ = "calendar_feeds"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[int] = mapped_column(default=0)  # raised to make earlier addresses worthless


class SentReminder(Model):
    """A reminder that an enrolment has had, so that none is sent twice."""

    __tablename__ = "sent_reminders"
    __table_args__ = (UniqueConstraint("enrolment_id", "what"),)

    id: Mapped[PrimaryKey]
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolments.id", ondelete="CASCADE"))
    what: Mapped[str]  # "begins", "opens:<module id>", "due:<activity id>"
    sent_at: Mapped[datetime] = mapped_column(default=clock.now)
