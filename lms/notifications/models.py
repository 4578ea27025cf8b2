"""Notices to people, and how they want to receive them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import Model, PrimaryKey


class MailChoice(StrEnum):
    """When a kind of message goes out by mail."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    OFF = "off"


class Notice(Model):
    """One message to one person. Title and body are made from `values` in the reader's language."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_user_id_created_at", "user_id", "created_at"),
        Index("ix_notices_user_id_read_at", "user_id", "read_at"),
        Index("ix_notices_waits_for_digest_user_id", "waits_for_digest", "user_id"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]
    values: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]
    waits_for_digest: Mapped[bool] = mapped_column(default=False)
    user: Mapped[User] = relationship()


class NotificationPreference(Model):
    """A person's choice for one kind of message."""

    __tablename__ = "notification_preferences"
    __table_args__ = (UniqueConstraint("user_id", "kind"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]
    mail: Mapped[str] = mapped_column(default=MailChoice.AT_ONCE)
