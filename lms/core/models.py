"""Tables of the floor: jobs to do, stored files, audit log, site settings, forms just sent."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey


class JobState(StrEnum):
    """Where a row of the outbox stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class OutboxRow(Model):
    """Work to be done after commit, saved with the change that needs it."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_due_at", "state", "due_at"),)

    id: Mapped[PrimaryKey]
    job: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=JobState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None]
    error: Mapped[str | None]


class StoredFile(Model):
    """An uploaded or produced file. Its bytes lie in the file store under `path`."""

    __tablename__ = "stored_files"

    id: Mapped[PrimaryKey]
    key: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    path: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInt)  # bytes
    sha256: Mapped[str] = mapped_column(index=True)
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class AuditEntry(Model):
    """One administrative act: who did what to what, when."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_subject", "subject_kind", "subject_id"),)

    id: Mapped[PrimaryKey]
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    act: Mapped[str] = mapped_column(index=True)  # permission-like name, "payments.refund"
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class SiteSetting(Model):
    """A setting that administrators change in the browser."""

    __tablename__ = "site_settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]


class SentForm(Model):
    """A form that was just sent, and where its answer led. Goes after a while."""

    __tablename__ = "sent_forms"

    key: Mapped[str] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(index=True)
    answer: Mapped[dict[str, Any] | None]  # location, status, flashes
