"""Bank accounts, the files that banks export of them, and the lines of these files."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import AnyJSON, BigInt, Model, PrimaryKey
from lms.core.money import Money
from lms.directory.models import Organisation
from lms.ledger.models import LedgerEntry
from lms.payments.movement_models import GatewayMovement


class ImportState(StrEnum):
    """How far a file is."""

    PREVIEW = "preview"  # looked at; nothing has landed
    WAITING = "waiting"  # confirmed, the worker reads it
    DONE = "done"
    FAILED = "failed"  # nothing has landed


class Why(StrEnum):
    """Why a person has to look at a line."""

    UNKNOWN = "unknown"  # names no order
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    TWO_ORDERS = "two_orders"
    ORDER_CLOSED = "order_closed"
    PAID_TWICE = "paid_twice"
    OTHER_WAY = "other_way"  # the order is paid by another way
    TOO_EARLY = "too_early"  # before the order was made


class BankAccount(Model):
    """An account whose files are read, and how its bank writes them.

    gateway: the way to pay whose orders its lines confirm. organisation: the partner whose account
    it is; None for the seller's own, all of whose lines stand in the ledger. layout: a
    `bank_files.Layout`, of the last file.
    """

    __tablename__ = "bank_accounts"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str]
    gateway: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    layout: Mapped[dict[str, Any] | None] = mapped_column(AnyJSON)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    organisation: Mapped[Organisation | None] = relationship()


class BankImport(Model):
    """One file of an account. content: its bytes, until it has landed.

    opening_minor, closing_minor: what the account held before and after its lines, where known.
    """

    __tablename__ = "bank_imports"
    __table_args__ = (
        CheckConstraint("state IN ('preview', 'waiting', 'done', 'failed')", name="state"),
        Index("ix_bank_imports_account_id_made_at", "account_id", "made_at"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    name: Mapped[str]
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    layout: Mapped[dict[str, Any]] = mapped_column(AnyJSON)
    state: Mapped[str] = mapped_column(default=ImportState.PREVIEW, index=True)
    by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)  # to let it land, since it was confirmed
    read: Mapped[int] = mapped_column(default=0)  # lines so far, while the worker reads
    lines: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)  # landed before, or named twice
    confirmed: Mapped[int] = mapped_column(default=0)
    passed_over: Mapped[int] = mapped_column(default=0)  # of a partner: name no order
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    opening_minor: Mapped[int | None] = mapped_column(BigInt)
    closing_minor: Mapped[int | None] = mapped_column(BigInt)
    failure: Mapped[str] = mapped_column(default="")  # empty: it broke off, nobody knows why
    failed_line: Mapped[int | None]
    version: Mapped[int] = mapped_column()

    account: Mapped[BankAccount] = relationship()
    by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    @property
    def broke_off(self) -> bool:
        """Whether it failed again and again without a reason."""
        return self.state == ImportState.FAILED and not self.failure and self.failed_line is None

    def money(self, minor: int | None) -> Money | None:
        """Minor units of the account's currency."""
        return None if minor is None else Money(minor, self.account.currency)


class BankLine(Model):
    """What a bank says of a movement. entry: by which the ledger tells it, where it does."""

    __tablename__ = "bank_lines"

    movement_id: Mapped[int] = mapped_column(
        ForeignKey("gateway_movements.id"), primary_key=True, autoincrement=False
    )
    import_id: Mapped[int] = mapped_column(ForeignKey("bank_imports.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"), index=True)
    line: Mapped[int]
    day: Mapped[date]
    text: Mapped[str]
    name: Mapped[str]
    why: Mapped[str | None]
    entry_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("ledger_entries.id"), unique=True
    )

    movement: Mapped[GatewayMovement] = relationship()
    bank_import: Mapped[BankImport] = relationship()
    account: Mapped[BankAccount] = relationship()
    entry: Mapped[LedgerEntry | None] = relationship()
