"""Other stores that get copies."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey


class ForwardingTarget(Model):
    """Another store that gets a copy of the statements that fit its filter.

    The filter: `verbs` (IRIs, empty for all), `limit_kind` and `limit_value` (one member of the
    collection of statements with this name, as for keys), `is_own_only`.
    """

    __tablename__ = "xapi_forwarding_targets"

    id: Mapped[PrimaryKey]
    name: Mapped[str]
    endpoint: Mapped[str]
    username: Mapped[str]
    password_sealed: Mapped[str]  # signed and encrypted with the site's key
    verbs: Mapped[list[str]] = mapped_column(default=list)
    limit_kind: Mapped[str | None]
    limit_value: Mapped[uuid.UUID | None]
    is_own_only: Mapped[bool] = mapped_column(default=False)  # not what other tools sent
    is_active: Mapped[bool] = mapped_column(default=True)
    last_statement_pk: Mapped[int] = mapped_column(BigInt, default=0)  # dealt with up to here
    last_sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)  # since the last success
    failing_since: Mapped[datetime | None]  # the first failure since the last success
    told_down_at: Mapped[datetime | None]  # when administrators were told, until it is well again
    told_refused_at: Mapped[datetime | None]  # the same of refused statements
    next_try_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]  # while a worker sends, no other one does
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
    is_due: Mapped[bool] = mapped_column(default=False)  # an administrator wants it sent again
    at: Mapped[datetime] = mapped_column(default=clock.now)
