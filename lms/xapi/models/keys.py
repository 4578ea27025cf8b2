"""Keys of other tools."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Model, PrimaryKey


class KeyScope(StrEnum):
    """What a key may do."""

    WRITE = "statements/write"
    READ_MINE = "statements/read/mine"
    READ = "statements/read"
    ALL = "all"


class XapiKey(Model):
    """Credentials of another tool for the endpoint (HTTP Basic)."""

    __tablename__ = "xapi_keys"

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str]  # SHA-256 of a secret with 256 bits of randomness
    name: Mapped[str]
    scope: Mapped[str] = mapped_column(default=KeyScope.ALL)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
