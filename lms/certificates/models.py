"""Credentials, the issuer's keys, status lists, and counts of verifications."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson
from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.models import StoredFile
from lms.courses.models import Course, CourseRun, Enrolment


class RevocationReason(StrEnum):
    """Why a certificate is no longer valid; told to everybody who verifies it."""

    ERROR = "error"
    SUPERSEDED = "superseded"
    MISCONDUCT = "misconduct"
    HOLDER_REQUEST = "holder_request"
    OTHER = "other"


class KeyUse(StrEnum):
    """What a key of the issuer signs."""

    PROOF = "proof"  # Ed25519: Data Integrity proofs
    TOKEN = "token"  # noqa: S105  # RSA: JSON Web Tokens, RS256
    SEAL = "seal"  # ECDSA on P-256, with a certificate: PDF, PAdES


class IssuerKey(Model):
    """A key pair of the issuer. One of each use signs; retired ones go on verifying.

    A withdrawn one was told to strangers: nothing that it signed is believed any more.
    """

    __tablename__ = "certificate_issuer_keys"

    id: Mapped[PrimaryKey]
    use: Mapped[str] = mapped_column(default=KeyUse.PROOF)
    kid: Mapped[str] = mapped_column(unique=True)  # fragment of the DID URL: "ed-2027-1"
    public_key: Mapped[str]  # Multikey ("z6Mk..."), JWK or certificate (PEM)
    private_key_sealed: Mapped[str] = mapped_column(Text)  # with the site's secret
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    retired_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class StatusList(Model):
    """A W3C Bitstring Status List: one bit a credential, set when it is revoked."""

    __tablename__ = "certificate_status_lists"

    id: Mapped[PrimaryKey]
    number: Mapped[int] = mapped_column(unique=True)
    bits: Mapped[bytes] = mapped_column(LargeBinary)
    document: Mapped[str] = mapped_column(Text)  # signed JSON
    signed_at: Mapped[datetime]
    valid_until: Mapped[datetime]


class StatusPlace(Model):
    """A place of a status list that a credential of another room has; `identifier` is its id.

    What stands here was signed with the issuer's key, so that verification knows it for our own.
    """

    __tablename__ = "certificate_status_places"
    __table_args__ = (UniqueConstraint("status_list_id", "status_index"),)

    id: Mapped[PrimaryKey]
    identifier: Mapped[str] = mapped_column(unique=True)
    status_list_id: Mapped[int] = mapped_column(ForeignKey("certificate_status_lists.id"))
    status_index: Mapped[int]
    revoked_at: Mapped[datetime | None]
    status_list: Mapped[StatusList] = relationship()


class Credential(Model):
    """What was certified, to whom, by whom, as it was on the day of issue.

    `facts` is the register's entry: JSON text, all languages, its SHA-256 signed in `document`.
    `document` is the holder's Open Badges credential and names the person; `public_document`,
    made when the holder hides their name or grade, holds neither of what is hidden. `token` and
    `public_token` say the same as JSON Web Tokens. A corrected certificate is a new row with a
    higher `revision`; the unique pair with the enrolment keeps any revision from being issued
    twice.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "revision"),
        UniqueConstraint("status_list_id", "status_index"),
        Index("ix_credentials_run_id_issued_at", "run_id", "issued_at"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    code: Mapped[str] = mapped_column(unique=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolments.id"))
    revision: Mapped[int] = mapped_column(default=1)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"))
    language: Mapped[str]  # of the PDF and of the signed document
    second_language: Mapped[str | None]  # also on the PDF, beside the first
    holder_name: Mapped[str]
    course_title: Mapped[str]  # in the certificate's language
    search_text: Mapped[str]  # name, title and code, folded
    facts_text: Mapped[str] = mapped_column(Text)
    shows_name: Mapped[bool] = mapped_column(default=True)
    shows_grade: Mapped[bool] = mapped_column(default=True)
    issued_at: Mapped[datetime] = mapped_column(index=True)  # whole seconds
    valid_until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None] = mapped_column(index=True)
    revocation_reason: Mapped[str | None]
    revocation_note: Mapped[str | None]  # public
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("credentials.id"), unique=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("certificate_issuer_keys.id"))
    status_list_id: Mapped[int] = mapped_column(ForeignKey("certificate_status_lists.id"))
    status_index: Mapped[int]
    document: Mapped[str] = mapped_column(Text)
    public_document: Mapped[str | None] = mapped_column(Text)
    token: Mapped[str | None] = mapped_column(Text)
    public_token: Mapped[str | None] = mapped_column(Text)
    document_digests: Mapped[list[str]] = mapped_column(default=list)  # of all ever signed
    document_macs: Mapped[list[str]] = mapped_column(default=list)  # see services.signing
    pdf_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    pdf_digests: Mapped[list[str]] = mapped_column(default=list)  # SHA-256 of all ever drawn
    layout_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("certificate_layout_versions.id"), index=True
    )  # None: Puente's own layout
    pdf_problem: Mapped[str | None]  # letters that no font has
    version: Mapped[int] = mapped_column()

    enrolment: Mapped[Enrolment] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    course: Mapped[Course] = relationship()
    run: Mapped[CourseRun] = relationship()
    key: Mapped[IssuerKey] = relationship()
    status_list: Mapped[StatusList] = relationship()
    pdf_file: Mapped[StoredFile | None] = relationship()
    supersedes: Mapped[Credential | None] = relationship(remote_side="Credential.id", viewonly=True)
    superseded_by: Mapped[Credential | None] = relationship(
        primaryjoin="Credential.id == foreign(remote(Credential.supersedes_id))",
        uselist=False,
        viewonly=True,
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_revoked(self) -> bool:
        """Whether it was taken back."""
        return self.revoked_at is not None

    @property
    def is_superseded(self) -> bool:
        """Whether a corrected certificate has taken its place."""
        return self.is_revoked and self.revocation_reason == RevocationReason.SUPERSEDED

    def is_expired(self, at: datetime) -> bool:
        """Whether its validity had ended at an instant."""
        return self.valid_until is not None and self.valid_until <= at

    @property
    def facts(self) -> dict[str, Any]:
        """The register's entry; its shape is described at `facts.collect`."""
        found: dict[str, Any] = orjson.loads(self.facts_text)
        return found

    @cached_property
    def public_name(self) -> str:
        """The holder's name as strangers see it: in full or as initials, as the holder chose."""
        return self.holder_name if self.shows_name else initials(self.holder_name)

    @property
    def shown_document(self) -> str:
        """The signed document that strangers get."""
        if self.hides_nothing or self.public_document is None:
            return self.document
        return self.public_document

    @property
    def hides_nothing(self) -> bool:
        """Whether strangers see all that the holder sees."""
        return self.shows_name and self.shows_grade

    @property
    def shown_token(self) -> str | None:
        """The same as a JSON Web Token; None while it is not yet signed."""
        return self.token if self.shown_document is self.document else self.public_token


def initials(name: str) -> str:
    """The first letter of each part of a name: "Rosa Quispe Mamani" -> "R. Q. M."."""
    return " ".join(f"{part[0].upper()}." for part in name.replace("-", " ").split())


class VerificationLog(Model):
    """One look at a certificate. Says when and how, never by whom."""

    __tablename__ = "certificate_verifications"
    __table_args__ = (
        Index("ix_certificate_verifications_credential_id_at", "credential_id", "at"),
    )

    id: Mapped[PrimaryKey]
    credential_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("credentials.id", ondelete="CASCADE")
    )
    at: Mapped[datetime] = mapped_column(default=clock.now)
    how: Mapped[str]  # page, file, many


class BatchState(StrEnum):
    """How far a batch of verifications is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class VerificationBatch(Model):
    """Many verifications at once, kept for a few days for the person who asked.

    `content` holds a zip file until it is worked off. `rows` says what is true of each; no name of
    a holder stands in it. `report` is the same, signed.
    """

    __tablename__ = "certificate_batches"
    __table_args__ = (UniqueConstraint("user_id", "repeat_key"),)

    id: Mapped[PrimaryKey]
    token: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    repeat_key: Mapped[str | None]  # by which a program that asks again gets the same batch
    request_digest: Mapped[str]  # SHA-256 of what was asked
    state: Mapped[str] = mapped_column(default=BatchState.WAITING)
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    rows: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    report: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped[User] = relationship()


class KeyScope(StrEnum):
    """What a program may do with a key."""

    VERIFY = "verify"
    REVOCATIONS = "revocations"


class VerificationKey(Model):
    """A key with which a program acts for one person; the key itself is not kept."""

    __tablename__ = "certificate_verification_keys"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    start: Mapped[str]  # its first signs, to tell it from others
    digest: Mapped[str] = mapped_column(unique=True)  # SHA-256
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class RevocationSubscription(Model):
    """An address that is told of each revocation."""

    __tablename__ = "certificate_revocation_subscriptions"

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    url: Mapped[str]
    secret_sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_told_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
