"""An association's own keys, and the endorsements that it has signed with them or elsewhere."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import Model, PrimaryKey
from lms.courses.models import Course
from lms.directory.models import Organisation


class BodyKey(Model):
    """A key pair of an association. One signs; retired ones go on verifying.

    The private half opens with a passphrase that an officer chose and that is kept nowhere, so
    that nobody signs in the association's name, not even who runs the site.
    """

    __tablename__ = "recognition_body_keys"
    __table_args__ = (UniqueConstraint("association_id", "kid"),)

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    kid: Mapped[str]  # fragment of the DID URL: "ed-2027-1"
    public_key: Mapped[str]  # Multikey
    private_key_sealed: Mapped[str] = mapped_column(Text)  # with passphrase and site's secret
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    retired_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]  # strangers know it: it verifies nothing any more
    version: Mapped[int] = mapped_column()
    association: Mapped[Organisation] = relationship()

    __mapper_args__ = {"version_id_col": version}


class BodyStatusList(Model):
    """The Bitstring Status List (W3C) of an association's endorsements.

    It has no end: only an officer's passphrase can sign it anew, no clock.
    """

    __tablename__ = "recognition_body_status_lists"

    id: Mapped[PrimaryKey]
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), unique=True)
    bits: Mapped[bytes] = mapped_column(LargeBinary)
    document: Mapped[str] = mapped_column(Text)  # signed JSON
    signed_at: Mapped[datetime]


class Endorsement(Model):
    """An association's signed word for a provider or a course (OB 3.0 EndorsementCredential).

    `document` is what was signed, byte for byte: JSON with a proof, or a JSON Web Token. With
    `key` none it was signed with tools of the association's own and handed in here.
    """

    __tablename__ = "recognition_endorsements"
    __table_args__ = (
        CheckConstraint("(provider_id IS NULL) != (course_id IS NULL)", name="subject"),
        UniqueConstraint("association_id", "identifier"),
        UniqueConstraint("association_id", "status_index"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    association_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)
    identifier: Mapped[str]  # `id` of the credential
    issuer: Mapped[str]  # the association's identity: a DID
    comment: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None]  # of the comment
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str]  # of the document's bytes
    key_id: Mapped[int | None] = mapped_column(ForeignKey("recognition_body_keys.id"))
    status_index: Mapped[int | None]
    state: Mapped[str]  # of the last verification: `lms.certificates.verifier.outcome.State`
    problem: Mapped[str | None]
    checked_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revocation_reason: Mapped[str] = mapped_column(default="")
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column()
    association: Mapped[Organisation] = relationship(foreign_keys=[association_id])
    provider: Mapped[Organisation | None] = relationship(foreign_keys=[provider_id])
    course: Mapped[Course | None] = relationship()
    key: Mapped[BodyKey | None] = relationship()
    made_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_token(self) -> bool:
        """Whether it is a JSON Web Token rather than JSON."""
        return not self.document.startswith("{")

    @property
    def first_day(self) -> date:
        """The first day on which it holds, in UTC as it is signed."""
        return self.starts_at.date()

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds."""
        return self.ends_at.date() if self.ends_at else None

    def holds(self, at: datetime) -> bool:
        """Whether it is to be believed at an instant: it verified, and nothing ended it."""
        return (
            self.state == "valid"
            and self.revoked_at is None
            and self.starts_at <= at
            and (self.ends_at is None or at < self.ends_at)
            and (self.key is None or self.key.withdrawn_at is None)
        )
