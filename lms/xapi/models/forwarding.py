"""Other stores that get copies."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey


class ForwardingTarget(Model):
    """Another store that gets a copy of the statements."""

    __tablename__ = "xapi_forwarding_targets"

    id: Mapped[PrimaryKey]
    name: Mapped[str]
    endpoint: Mapped[str]
    username: Mapped[str]
    password_sealed: Mapped[str]  # signed and encrypted with the site's key
    is_active: Mapped[bool] = mapped_column(default=True)
    last_statement_pk: Mapped[int] = mapped_column(BigInt, default=0)  # sent up to here
    last_sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class RefusedByTarget(Model):
    """A statement that the other store will not take, however often it is sent."""

    __tablename__ = "xapi_refused_by_target"
    __table_args__ = (UniqueConstraint("target_id", "statement_pk"),)

    id: Mapped[PrimaryKey]
    target_id: Mapped[int] = mapped_column(
        ForeignKey("xapi_forwarding_targets.id", ondelete="CASCADE")
    )
    statement_pk: Mapped[int] = mapped_column(
        BigInt, ForeignKey("xapi_statements.id", ondelete="CASCADE"), index=True
    )
    error: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)
