"""Keys of other tools, and the short-lived tokens of launched content."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Model, PrimaryKey


class KeyScope(StrEnum):
    """What a key may do (xAPI 1.0.3, part three, 4.2, names the same rights)."""

    WRITE = "statements/write"
    READ_MINE = "statements/read/mine"
    READ = "statements/read"
    STATE = "state"
    PROFILE = "profile"
    ALL = "all"


class XapiKey(Model):
    """Credentials of another tool for the endpoint (HTTP Basic).

    A key without `limit_kind` reaches the whole store. Else it reaches one registration
    (`REGISTRATION`), or one member of the collection of statements that has this name.
    """

    __tablename__ = "xapi_keys"

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str]  # SHA-256 of a secret with 256 bits of randomness
    old_secret_hash: Mapped[str | None]  # after a rotation, valid until the next column says
    old_secret_until: Mapped[datetime | None]
    name: Mapped[str]
    scopes: Mapped[list[str]]
    limit_kind: Mapped[str | None]
    limit_value: Mapped[uuid.UUID | None]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]  # within a minute
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def is_valid(self, at: datetime) -> bool:
        """Whether it works at that instant: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class LaunchSession(Model):
    """The token of content that one person opened: it speaks for that person alone.

    activities: IRIs; each statement names one of them. The first is the launched activity, whose
    states it may keep.
    """

    __tablename__ = "xapi_launch_sessions"

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str]
    actor: Mapped[dict[str, Any]]  # an xAPI agent
    registration: Mapped[uuid.UUID]
    activities: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
