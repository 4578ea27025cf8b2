"""Users, how they registered, where they are signed in, what they typed but did not send."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.models import StoredFile
from lms.core.text import fold

WAITING = "@waiting.invalid"  # ends the address of an account that nobody has claimed yet
SIGN_IN_LIVES = timedelta(days=180)  # then one signs in anew, however often one came


def _searchable(context: DefaultExecutionContext) -> str:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return fold(f"{row['name']} {row['email']}")


class User(UserMixin, Model):  # type: ignore[misc]
    """A person with an account. `name` is as it shall stand on certificates."""

    __tablename__ = "users"

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)  # xAPI account name
    email: Mapped[str] = mapped_column(unique=True)  # as typed, domain in lower case
    email_folded: Mapped[str] = mapped_column(unique=True)  # for look-up: case folded
    name: Mapped[str] = mapped_column(index=True)
    search_text: Mapped[str] = mapped_column(default=_searchable, index=True)  # folded
    password_hash: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="en")
    time_zone: Mapped[str] = mapped_column(default="America/Toronto")
    country: Mapped[str | None] = mapped_column(index=True)  # ISO 3166-1 alpha-2
    profession: Mapped[str | None]
    is_administrator: Mapped[bool] = mapped_column(default=False)
    email_confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    terms_accepted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    deactivated_at: Mapped[datetime | None]
    taken_over_by_id: Mapped[int | None] = mapped_column(BigInt, index=True)  # the owner's account
    claim: Mapped[AccountClaim | None] = relationship(back_populates="user")

    @validates("name", "email")
    def _keep_searchable(self, key: str, value: str) -> str:
        name, email = (value, self.email) if key == "name" else (self.name, value)
        self.search_text = fold(f"{name or ''} {email or ''}")
        return value

    @property
    def is_active(self) -> bool:
        """Whether the account may be used: not closed, not deactivated."""
        return self.closed_at is None and self.deactivated_at is None

    @property
    def is_confirmed(self) -> bool:
        """Whether the person opened the link in the confirmation mail."""
        return self.email_confirmed_at is not None

    @property
    def is_waiting(self) -> bool:
        """Whether the account was made by buying and waits for whoever its mail reaches."""
        return self.email.endswith(WAITING)

    @property
    def address(self) -> str:
        """Where mail to the person goes."""
        return self.claim.email if self.is_waiting and self.claim else self.email


class Registration(Model):
    """What somebody typed to make an account. It holds once the link mailed for it is opened.

    An address may have several, by its owner and by strangers: each needs its own password.
    """

    __tablename__ = "registrations"

    id: Mapped[PrimaryKey]
    key: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    email: Mapped[str]  # that of the account, with capitals as typed here
    password_hash: Mapped[str | None]
    language: Mapped[str]
    country: Mapped[str | None]
    time_zone: Mapped[str]
    next_page: Mapped[str] = mapped_column(default="")  # address on this site to go on to
    made_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    user: Mapped[User] = relationship()


class AccountClaim(Model):
    """An account that waits: who can read the mail to `email` may claim it.

    An address may have several, and an account of its own beside them: what a stranger does with
    the address of somebody else touches neither.
    """

    __tablename__ = "account_claims"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    email: Mapped[str]
    email_folded: Mapped[str] = mapped_column(index=True)
    next_page: Mapped[str] = mapped_column(default="")  # address on this site to go on to
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    mailed_at: Mapped[datetime | None]  # when the link was last sent
    user: Mapped[User] = relationship(back_populates="claim")


class SignIn(Model):
    """One browser in which a person is signed in; its session keeps the key."""

    __tablename__ = "sign_ins"

    id: Mapped[PrimaryKey]
    key: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    second_factor_at: Mapped[datetime | None]  # last proof of the second factor in this browser


class SecondFactor(Model):
    """A person's app for one-time codes (TOTP, RFC 6238). In use once a code of it was typed."""

    __tablename__ = "second_factors"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    secret_sealed: Mapped[str] = mapped_column(Text)  # with the site's secret
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInt, default=0)  # of the last code that was taken
    recovery_macs: Mapped[list[str]] = mapped_column(default=list)  # codes not yet used
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column()
    user: Mapped[User] = relationship()

    __mapper_args__ = {"version_id_col": version}


class Draft(Model):
    """What somebody typed into a form, kept until it is sent."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str]
    content: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)


class DataDownload(Model):
    """A person's wish for all their data: a ZIP file once a job has built it."""

    __tablename__ = "data_downloads"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    requested_at: Mapped[datetime] = mapped_column(default=clock.now)
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    file: Mapped[StoredFile | None] = relationship()
    user: Mapped[User] = relationship()
