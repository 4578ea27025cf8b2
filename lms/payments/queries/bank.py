"""Reads of bank accounts, their files, and what the lines may belong to."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import joinedload

from lms.core.db import db
from lms.core.errors import NotFound
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.payments.bank_models import BankAccount, BankImport, BankLine, ImportState, Why
from lms.payments.models import OPEN, Order, Payment, Purchase, Refund, RefundState
from lms.payments.movement_models import GatewayMovement, MovementState

_Value = TypeVar("_Value")

AT_ONCE = 500
BEFORE, AFTER = timedelta(days=3), timedelta(days=8)  # entry and line of one fact lie so close


def get_account(account_id: int) -> BankAccount:
    """A bank account. Raises NotFound."""
    found = db.session.get(BankAccount, account_id)
    if found is None:
        raise NotFound
    return found


def list_accounts() -> Select[BankAccount]:
    """All accounts, the seller's own first."""
    return (
        select(BankAccount)
        .options(joinedload(BankAccount.organisation))
        .order_by(BankAccount.organisation_id.is_not(None), BankAccount.name)
    )


def get_import(import_uuid: uuid.UUID) -> BankImport:
    """A file with its account. Raises NotFound."""
    found = db.session.scalar(
        select(BankImport)
        .where(BankImport.uuid == import_uuid)
        .options(joinedload(BankImport.account).joinedload(BankAccount.organisation))
    )
    if found is None:
        raise NotFound
    return found


def list_imports(account_ids: Iterable[int] | None = None) -> Select[BankImport]:
    """Files, the newest first: all, or of some accounts."""
    statement = select(BankImport).options(
        joinedload(BankImport.account), joinedload(BankImport.by)
    )
    if account_ids is not None:
        statement = statement.where(BankImport.account_id.in_(list(account_ids)))
    return statement.order_by(BankImport.made_at.desc(), BankImport.id.desc())


def lines_of_person(user_id: int) -> Select[BankLine]:
    """What banks say of the payments and refunds of a person's orders."""
    return (
        select(BankLine)
        .join(GatewayMovement, GatewayMovement.id == BankLine.movement_id)
        .join(Payment, Payment.id == GatewayMovement.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Order.user_id == user_id)
        .order_by(BankLine.movement_id)
    )


def lines_of(bank_import: BankImport) -> Select[BankLine]:
    """What has landed of a file, as it stands there."""
    return (
        select(BankLine)
        .where(BankLine.import_id == bank_import.id)
        .options(
            joinedload(BankLine.movement)
            .joinedload(GatewayMovement.payment)
            .joinedload(Payment.order)
        )
        .order_by(BankLine.line)
    )


def count_open(bank_import: BankImport) -> int:
    """How many lines of a file wait for a person."""
    found = db.session.scalar(
        select(func.count())
        .select_from(BankLine)
        .join(GatewayMovement, GatewayMovement.id == BankLine.movement_id)
        .where(BankLine.import_id == bank_import.id, GatewayMovement.state == MovementState.OPEN)
    )
    return int(found or 0)


def find_line(movement: GatewayMovement) -> BankLine | None:
    """The bank's line behind a movement; None for one at a payment service."""
    return db.session.scalar(
        select(BankLine)
        .where(BankLine.movement_id == movement.id)
        .options(joinedload(BankLine.account), joinedload(BankLine.bank_import))
    )


def bank_lines(movements: Sequence[GatewayMovement]) -> dict[int, BankLine]:
    """The bank's lines behind some movements, by movement."""
    found = db.session.scalars(
        select(BankLine)
        .where(BankLine.movement_id.in_([one.id for one in movements]))
        .options(joinedload(BankLine.account))
    )
    return {line.movement_id: line for line in found}


def _portions(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    left = list(values)
    for start in range(0, len(left), AT_ONCE):
        yield left[start : start + AT_ONCE]


def known_references(gateway: str, references: Iterable[str]) -> set[str]:
    """Which lines have landed before, by their movement's reference."""
    found: set[str] = set()
    for some in _portions(references):
        found |= set(
            db.session.scalars(
                select(GatewayMovement.reference).where(
                    GatewayMovement.gateway == gateway, GatewayMovement.reference.in_(some)
                )
            )
        )
    return found


def orders_by_number(numbers: Iterable[str]) -> dict[str, Order]:
    """Orders by the number for people, with what was bought at once with them."""
    found: dict[str, Order] = {}
    for some in _portions(numbers):
        for order in db.session.scalars(
            select(Order)
            .where(Order.number.in_(some))
            .options(joinedload(Order.purchase).selectinload(Purchase.orders))
        ):
            found[order.number] = order
    return found


_HAS_LINE = exists().where(
    GatewayMovement.payment_id == Payment.id, BankLine.movement_id == GatewayMovement.id
)


def payments_without_line(order_ids: Iterable[int], gateway: str) -> dict[int, list[Payment]]:
    """Payments that a person confirmed and no line has told yet, by order."""
    found: dict[int, list[Payment]] = {}
    for some in _portions(order_ids):
        for payment in db.session.scalars(
            select(Payment)
            .where(Payment.order_id.in_(some), Payment.gateway == gateway, ~_HAS_LINE)
            .order_by(Payment.id)
        ):
            found.setdefault(payment.order_id, []).append(payment)
    return found


def payments_by_reference(gateway: str, references: Iterable[str]) -> dict[str, Payment]:
    """Payments that a person confirmed with one of these references and no line has told yet."""
    found: dict[str, Payment] = {}
    for some in _portions(references):
        for payment in db.session.scalars(
            select(Payment).where(
                Payment.gateway == gateway, Payment.reference.in_(some), ~_HAS_LINE
            )
        ):
            found[payment.reference] = payment
    return found


def asked_refunds(order_ids: Iterable[int], gateway: str) -> dict[int, list[Refund]]:
    """Refunds of this way to pay that somebody has to send, by order."""
    found: dict[int, list[Refund]] = {}
    for some in _portions(order_ids):
        for refund in db.session.scalars(
            select(Refund)
            .join(Payment, Payment.id == Refund.payment_id)
            .where(
                Refund.order_id.in_(some),
                Refund.state == RefundState.REQUESTED,
                Payment.gateway == gateway,
            )
            .order_by(Refund.id)
        ):
            found.setdefault(refund.order_id, []).append(refund)
    return found


@dataclass(frozen=True)
class UntoldEntry:
    """An entry that moves the bank, and that no line of a bank tells."""

    id: int
    kind: str
    source: str
    about: str
    reason: str
    happened_on: date
    currency: str
    minor: int

    def fits(self, day: date, minor: int) -> bool:
        """Whether a line may be about it."""
        return self.minor == minor and self.happened_on - BEFORE <= day <= self.happened_on + AFTER


def untold_entries(currency: str, first: date, last: date) -> list[UntoldEntry]:
    """Entries on the bank's account of some days that no line tells, the oldest first."""
    told = exists().where(BankLine.entry_id == LedgerEntry.id)
    of_lines = and_(
        LedgerEntry.kind.in_((EntryKind.UNKNOWN, EntryKind.EXPLAINED)),
        LedgerEntry.rail.in_(select(BankAccount.gateway)),
    )  # what stands, or stood, for an open line
    found = db.session.execute(
        select(
            LedgerEntry.id,
            LedgerEntry.kind,
            LedgerEntry.source,
            LedgerEntry.about,
            LedgerEntry.reason,
            LedgerEntry.happened_on,
            LedgerPosting.currency,
            LedgerPosting.amount_minor,
        )
        .join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .where(
            LedgerPosting.account == Account.BANK.value,
            LedgerPosting.currency == currency,
            LedgerEntry.happened_on.between(first, last),
            ~told,
            ~of_lines,
        )
        .order_by(LedgerEntry.happened_on, LedgerEntry.id)
    )
    return [UntoldEntry(*row) for row in found]


def entry_id_of(source: str, kind: str) -> int | None:
    """The entry that tells a fact."""
    return db.session.scalar(
        select(LedgerEntry.id).where(LedgerEntry.source == source, LedgerEntry.kind == kind)
    )


def open_lines(account: BankAccount) -> list[BankLine]:
    """Lines that name nothing known and wait for a person."""
    return list(
        db.session.scalars(
            select(BankLine)
            .join(GatewayMovement, GatewayMovement.id == BankLine.movement_id)
            .where(
                BankLine.account_id == account.id,
                BankLine.why == Why.UNKNOWN,
                GatewayMovement.state == MovementState.OPEN,
            )
            .options(joinedload(BankLine.movement))
            .order_by(BankLine.day, BankLine.movement_id)
        )
    )


def candidates(line: BankLine) -> Sequence[Order]:
    """Open orders that ask for just the amount of a line, the newest first."""
    amount = line.movement.amount
    if amount.minor <= 0:
        return []
    return db.session.scalars(
        select(Order)
        .where(
            Order.state.in_(OPEN),
            Order.gateway == line.account.gateway,
            Order.currency == amount.currency,
            Order.total_minor == amount.minor,
        )
        .options(joinedload(Order.user))
        .order_by(Order.created_at.desc())
        .limit(10)
    ).all()


def forgotten_imports(before: datetime) -> Sequence[BankImport]:
    """Files that nobody has confirmed since an instant."""
    return db.session.scalars(
        select(BankImport).where(
            BankImport.state.in_((ImportState.PREVIEW, ImportState.FAILED)),
            BankImport.made_at < before,
        )
    ).all()
