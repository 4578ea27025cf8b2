"""How long statements are kept, and what was erased."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Model, PrimaryKey


class ErasureKind(StrEnum):
    """Why something was erased."""

    RULE = "rule"  # it was older than a rule allows
    PERSON = "person"  # an administrator asked for it
    ACCOUNT = "account"  # the person closed the account


class ErasureWay(StrEnum):
    """What becomes of statements about a person."""

    ANONYMISE = "anonymise"  # they stay, under a name that says nothing
    DELETE = "delete"


class RetentionRule(Model):
    """Statements that fit are deleted so many days after they were stored.

    The filter is the same as that of a forwarding target. A rule does nothing until it is active.
    """

    __tablename__ = "xapi_retention_rules"
    __table_args__ = (CheckConstraint("days >= 1", name="days"),)

    id: Mapped[PrimaryKey]
    name: Mapped[str]
    days: Mapped[int]
    verbs: Mapped[list[str]] = mapped_column(default=list)
    limit_kind: Mapped[str | None]
    limit_value: Mapped[uuid.UUID | None]
    is_own_only: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=False)
    last_run_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Erasure(Model):
    """One line of the log of erasures, and while it is not finished, the order to do it.

    Nothing in it says who the person was, once it is finished.
    """

    __tablename__ = "xapi_erasures"

    id: Mapped[PrimaryKey]
    kind: Mapped[str]
    way: Mapped[str]
    rule_id: Mapped[int | None] = mapped_column(
        ForeignKey("xapi_retention_rules.id", ondelete="SET NULL")
    )
    ordered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    identifiers_sealed: Mapped[str | None]  # until it is finished
    deleted: Mapped[int] = mapped_column(default=0)  # statements
    changed: Mapped[int] = mapped_column(default=0)  # statements that stay without the person
    documents: Mapped[int] = mapped_column(default=0)
    targets: Mapped[list[str]] = mapped_column(default=list)  # other stores that may have copies
    at: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]
