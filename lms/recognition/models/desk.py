"""Accreditations, rules, members, consent, credited hours, audits, trusted issuers."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.models import StoredFile
from lms.courses.models import Course, Topic
from lms.directory.models import Organisation


class MatchState(StrEnum):
    """Whether a person who consented is a member, by identifiers that the association knows."""

    MATCH = "match"
    NO_MATCH = "no_match"
    NOT_ENOUGH = "not_enough"  # an officer decides


class EntryState(StrEnum):
    """Whether credited hours count."""

    CREDITED = "credited"
    PENDING = "pending"  # a claim that an officer has not decided
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # counted once; the certificate was revoked or an audit failed


class AuditState(StrEnum):
    """Where one entry of an audit stands."""

    OPEN = "open"
    ASKED = "asked"  # the member was asked for evidence
    ACCEPTED = "accepted"
    REFUSED = "refused"


class BodySettings(Model):
    """What an association asks of its members: hours in a renewal cycle."""

    __tablename__ = "recognition_bodies"

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), unique=True)
    cycle_starts_on: Mapped[date]  # first day of any cycle; the others follow from it
    cycle_years: Mapped[int] = mapped_column(default=1)
    hours_needed: Mapped[float | None]  # in one cycle
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    def cycle_of(self, day: date) -> tuple[date, date]:
        """First and last day of the renewal cycle that a day lies in."""
        start = self.cycle_starts_on
        number = (day.year - start.year) // self.cycle_years
        first = years_later(start, number * self.cycle_years)
        if first > day:
            number -= 1
        elif years_later(start, (number + 1) * self.cycle_years) <= day:
            number += 1
        first = years_later(start, number * self.cycle_years)
        return first, years_later(start, (number + 1) * self.cycle_years) - timedelta(days=1)


def years_later(day: date, years: int) -> date:
    """The same day in another year; 28 February where there is no 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


class Accreditation(Model):
    """An association's word that a provider or a course meets its standard, for a time.

    Never deleted: whether it held is judged at the date of an award, not today.
    """

    __tablename__ = "accreditations"
    __table_args__ = (
        UniqueConstraint("association_id", "number"),
        CheckConstraint("(provider_id IS NULL) != (course_id IS NULL)", name="subject"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)
    number: Mapped[str]
    scope: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    withdrawn_on: Mapped[date | None]  # from this day on it does not hold
    withdrawal_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column()
    association: Mapped[Organisation] = relationship(foreign_keys=[association_id])
    provider: Mapped[Organisation | None] = relationship(foreign_keys=[provider_id])
    course: Mapped[Course | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    def held_on(self, day: date) -> bool:
        """Whether it was in force on a day."""
        if day < self.starts_on or (self.ends_on is not None and day > self.ends_on):
            return False
        return self.withdrawn_on is None or day < self.withdrawn_on

    def covers(self, course_id: int, organisation_ids: set[int]) -> bool:
        """Whether it is about this course, or about one of those who give it."""
        return self.course_id == course_id or self.provider_id in organisation_ids


class RecognitionRule(Model):
    """Which learning an association credits; what it says is in its versions."""

    __tablename__ = "recognition_rules"

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    name: Mapped[str]
    ended_on: Mapped[date | None]  # last day of awards that it credits
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column()
    association: Mapped[Organisation] = relationship()
    versions: Mapped[list[RuleVersion]] = relationship(
        back_populates="rule", order_by="RuleVersion.number"
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def newest(self) -> RuleVersion:
        """The version that is valid for awards from its first day on."""
        return self.versions[-1]

    def version_on(self, day: date) -> RuleVersion | None:
        """The version that judges an award of a day."""
        if self.ended_on is not None and day > self.ended_on:
            return None
        found = [version for version in self.versions if version.starts_on <= day]
        return found[-1] if found else None


class RuleVersion(Model):
    """What a rule says from a day on. Never changed: a change is a new version."""

    __tablename__ = "recognition_rule_versions"
    __table_args__ = (
        UniqueConstraint("rule_id", "number"),
        CheckConstraint("hours > 0", name="hours"),
        CheckConstraint("minimum_grade BETWEEN 0 AND 1", name="minimum_grade"),
    )

    id: Mapped[PrimaryKey]
    rule_id: Mapped[int] = mapped_column(ForeignKey("recognition_rules.id", ondelete="CASCADE"))
    number: Mapped[int]  # from 1
    starts_on: Mapped[date]  # first day of awards that it judges
    hours: Mapped[float | None]  # None: as many as the certificate states
    most_hours: Mapped[float | None]  # of this rule in one renewal cycle
    category: Mapped[str] = mapped_column(default="")
    framework_codes: Mapped[list[str]] = mapped_column(default=list)
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"))
    minimum_hours: Mapped[float | None]
    minimum_grade: Mapped[float | None]  # 0..1
    needs_assessment: Mapped[bool] = mapped_column(default=False)
    needs_accreditation: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(default="")  # why it was changed
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    rule: Mapped[RecognitionRule] = relationship(back_populates="versions")
    topic: Mapped[Topic | None] = relationship()
    provider: Mapped[Organisation | None] = relationship()
    course: Mapped[Course | None] = relationship()
    made_by: Mapped[User | None] = relationship()


class FrameworkCode(Model):
    """A code of the association's framework, such as "SP-2"."""

    __tablename__ = "recognition_framework_codes"
    __table_args__ = (UniqueConstraint("association_id", "code"),)

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str]
    title: Mapped[str]


class Member(Model):
    """One line of an association's list of members: keyed hashes, never what was hashed."""

    __tablename__ = "recognition_members"
    __table_args__ = (
        UniqueConstraint("association_id", "number_mac"),
        Index("ix_recognition_members_association_id_email_mac", "association_id", "email_mac"),
    )

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    number_mac: Mapped[str]
    email_mac: Mapped[str | None]
    licence_mac: Mapped[str | None]
    hint: Mapped[str]  # the end of the number, to tell lines apart
    imported_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]  # no longer in the list


class MemberConsent(Model):
    """A person lets an association see certificates and hours; whether they are a member."""

    __tablename__ = "recognition_consents"
    __table_args__ = (UniqueConstraint("association_id", "user_id"),)

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    given_at: Mapped[datetime] = mapped_column(default=clock.now)
    withdrawn_at: Mapped[datetime | None]
    licence_mac: Mapped[str | None]
    match: Mapped[str] = mapped_column(default=MatchState.NOT_ENOUGH, index=True)
    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("recognition_members.id", ondelete="SET NULL")
    )
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column()
    association: Mapped[Organisation] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    member: Mapped[Member | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_given(self) -> bool:
        """Whether it holds now."""
        return self.withdrawn_at is None


class CreditEntry(Model):
    """Hours that an association credits to a person, or is asked to credit.

    `achievement_key` names what was achieved; the unique triple keeps it from counting twice.
    Title, provider and hours stay as they were, whatever happens to rule and course.
    """

    __tablename__ = "recognition_entries"
    __table_args__ = (
        UniqueConstraint("association_id", "user_id", "achievement_key"),
        Index("ix_recognition_entries_association_id_awarded_on", "association_id", "awarded_on"),
        CheckConstraint("hours >= 0", name="hours"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    achievement_key: Mapped[str]  # "course:<uuid>" or "claim:<uuid>"
    state: Mapped[str] = mapped_column(default=EntryState.CREDITED)
    awarded_on: Mapped[date]
    hours: Mapped[float]
    category: Mapped[str] = mapped_column(default="")
    framework_codes: Mapped[list[str]] = mapped_column(default=list)
    title: Mapped[dict[str, Any]]  # by language
    provider: Mapped[dict[str, Any]]  # by language
    accreditation: Mapped[str | None]  # number that held at the date of the award
    rule_version_id: Mapped[int | None] = mapped_column(ForeignKey("recognition_rule_versions.id"))
    credential_id: Mapped[int | None] = mapped_column(ForeignKey("credentials.id"), index=True)
    link: Mapped[str | None]  # of a claim
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    reason: Mapped[str | None]  # why refused or withdrawn
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column()
    association: Mapped[Organisation] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    rule_version: Mapped[RuleVersion | None] = relationship()
    credential: Mapped[Credential | None] = relationship()
    file: Mapped[StoredFile | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_claim(self) -> bool:
        """Whether the learner asked for it with evidence of their own."""
        return self.achievement_key.startswith("claim:")


class AuditSample(Model):
    """A random sample of a year's entries. Seed and population let anybody repeat the draw."""

    __tablename__ = "recognition_audits"

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    year: Mapped[int]
    seed: Mapped[str]
    population: Mapped[list[str]]  # UUIDs of all entries of the year, in order
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    association: Mapped[Organisation] = relationship()
    items: Mapped[list[AuditItem]] = relationship(
        back_populates="sample", order_by="AuditItem.position"
    )


class AuditItem(Model):
    """One entry of a sample."""

    __tablename__ = "recognition_audit_items"
    __table_args__ = (UniqueConstraint("sample_id", "position"),)

    id: Mapped[PrimaryKey]
    sample_id: Mapped[int] = mapped_column(ForeignKey("recognition_audits.id", ondelete="CASCADE"))
    position: Mapped[int]
    entry_uuid: Mapped[uuid.UUID]
    entry_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("recognition_entries.id", ondelete="SET NULL"), index=True
    )
    state: Mapped[str] = mapped_column(default=AuditState.OPEN)
    note: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()
    sample: Mapped[AuditSample] = relationship(back_populates="items")
    entry: Mapped[CreditEntry | None] = relationship()

    __mapper_args__ = {"version_id_col": version}


class TrustedIssuer(Model):
    """An issuer of credentials whose word an association takes, for a time."""

    __tablename__ = "recognition_issuers"
    __table_args__ = (UniqueConstraint("association_id", "did"),)

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    did: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    association: Mapped[Organisation] = relationship()

    def held_on(self, day: date) -> bool:
        """Whether the association trusted it on a day."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


class EvidenceLink(Model):
    """A holder lets somebody see the evidence behind one certificate, for a time.

    Of the link's secret only its hash is kept: nobody but who was given it can open it.
    """

    __tablename__ = "recognition_evidence_links"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(unique=True)  # SHA-256
    credential_id: Mapped[int] = mapped_column(ForeignKey("credentials.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    recipient: Mapped[str]  # as the holder names it
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    credential: Mapped[Credential] = relationship()
    looks: Mapped[list[EvidenceLook]] = relationship(order_by="EvidenceLook.id.desc()")

    def is_open(self, at: datetime) -> bool:
        """Whether it can be used at an instant."""
        return self.withdrawn_at is None and at < self.expires_at


class EvidenceLook(Model):
    """One look at the evidence; the holder sees each."""

    __tablename__ = "recognition_evidence_looks"

    id: Mapped[PrimaryKey]
    link_id: Mapped[int] = mapped_column(
        ForeignKey("recognition_evidence_links.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(default=clock.now)
    what: Mapped[str]  # page, pdf, json
