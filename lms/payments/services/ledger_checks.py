"""Do orders, payments, refunds and enrolments agree with the ledger?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)

from lms.core.db import db
from lms.core.money import Money
from lms.invoicing.models import Invoice, InvoiceKind, Seller
from lms.ledger.accounts import Account
from lms.ledger.checks import LedgerCheck, Unexplained
from lms.ledger.kinds import Difference, EntryKind
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.ledger.queries import movements
from lms.payments import queries
from lms.payments.due_models import Due
from lms.payments.grant_models import OrderGrant
from lms.payments.models import (
    Order,
    OrderRevenue,
    OrderState,
    Payment,
    Receipt,
    Refund,
    RefundState,
)
from lms.payments.queries.dues import OPEN_MINOR
from lms.payments.services.sums import differing_sums


def _differing(
    word: str, row: Any, kind: EntryKind, currency: Any, minor: Any, *which: ColumnElement[bool]
) -> Iterable[tuple[int, int, str]]:
    """Rows whose entry is missing or moves another amount of what is owed: id, minor, currency."""
    entry = and_(
        LedgerEntry.source == literal(f"{word}:") + cast(row.id, String),
        LedgerEntry.kind == kind.value,
    )
    owed = and_(
        LedgerPosting.entry_id == LedgerEntry.id, LedgerPosting.account == Account.RECEIVABLE.value
    )
    statement = (
        select(row.id, minor, currency)
        .outerjoin(LedgerEntry, entry)
        .outerjoin(LedgerPosting, owed)
        .where(
            *which,
            or_(
                LedgerPosting.id.is_(None),
                func.abs(LedgerPosting.amount_minor) != minor,
                LedgerPosting.currency != currency,
            ),
        )
        .order_by(row.id)
    )
    for row in db.session.execute(statement):
        yield row[0], row[1], row[2]


def _sales() -> Iterable[Unexplained]:
    has_receipt = exists().where(Receipt.order_id == Order.id)  # IN is slow within OR: PostgreSQL
    is_sold = or_(Order.delivered_at.is_not(None), has_receipt)
    found = _differing(
        "order", Order, EntryKind.SALE, Order.currency, Order.total_minor,
        is_sold, Order.total_minor > 0,
    )  # fmt: skip
    for key, minor, currency in found:
        yield Unexplained(Difference.SALE, f"order {key}", Money(minor, currency))


def _invoices() -> Iterable[Unexplained]:
    """What was issued and what was posted have the same sum and the same tax; no sale lacks one."""
    for is_note, source in ((False, "order:"), (True, "refund:"), (True, "relief:")):
        kind = EntryKind.CREDIT_NOTE if is_note else EntryKind.SALE
        document = InvoiceKind.CREDIT_NOTE if is_note else InvoiceKind.INVOICE
        entry = and_(LedgerEntry.source == Invoice.source, LedgerEntry.kind == kind.value)
        owed = _posted(LedgerPosting.account == Account.RECEIVABLE.value)
        taxes = _posted(LedgerPosting.account.startswith(f"{Account.TAX.value}:"))
        statement = (
            select(Invoice.number, Invoice.gross_minor, Invoice.currency)
            .outerjoin(LedgerEntry, entry)
            .outerjoin(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
            .where(
                Invoice.kind == document.value,
                Invoice.source.startswith(source),
                Invoice.gross_minor > 0,
            )
            .group_by(Invoice.id)
            .having(or_(owed != Invoice.gross_minor, taxes != Invoice.tax_minor))
            .order_by(Invoice.id)
        )
        for number, minor, currency in db.session.execute(statement):
            yield Unexplained(Difference.INVOICE, f"invoice {number}", Money(minor, currency))
    bare = (
        select(Order.number, Order.total_minor, Order.currency)
        .join(LedgerEntry, LedgerEntry.source == literal("order:") + cast(Order.id, String))
        .where(
            LedgerEntry.kind == EntryKind.SALE.value,
            LedgerEntry.posted_at > select(func.min(Seller.created_at)).scalar_subquery(),
            ~exists().where(
                Invoice.source == LedgerEntry.source, Invoice.kind == InvoiceKind.INVOICE.value
            ),
        )
        .order_by(Order.id)
    )
    for number, minor, currency in db.session.execute(bare):
        yield Unexplained(Difference.INVOICE, f"order:{number}", Money(minor, currency))


def _posted(which: ColumnElement[bool]) -> ColumnElement[int]:
    """The size of what an entry moves on some accounts."""
    return func.abs(func.coalesce(func.sum(case((which, LedgerPosting.amount_minor), else_=0)), 0))


def _grants() -> Iterable[Unexplained]:
    """What funds have paid of orders is what the ledger took from them; no paid order waits."""
    told = {
        about: int(minor)
        for about, minor in db.session.execute(
            select(LedgerEntry.about, func.sum(LedgerPosting.amount_minor))
            .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
            .where(
                LedgerPosting.account.startswith(f"{Account.FUND.value}:"),
                LedgerEntry.about.startswith("order:"),
            )
            .group_by(LedgerEntry.about)
        )
    }
    kept = {
        f"order:{number}": (minor, currency)
        for number, minor, currency in db.session.execute(
            select(
                Order.number, OrderGrant.amount_minor - OrderGrant.given_back_minor, Order.currency
            )
            .join(OrderGrant, OrderGrant.order_id == Order.id)
            .where(
                or_(
                    OrderGrant.booked_at.is_not(None),
                    and_(OrderGrant.released_at.is_(None), Order.state == OrderState.PAID),
                )
            )
        )
    }
    for about in sorted(told.keys() | kept.keys()):
        minor, currency = kept.get(about, (0, ""))
        if more := told.get(about, 0) - minor:
            amount = Money(more, currency) if currency else None
            yield Unexplained(Difference.GRANT, about, amount)


def _payments() -> Iterable[Unexplained]:
    found = _differing(
        "payment", Payment, EntryKind.PAYMENT, Payment.currency, Payment.amount_minor
    )
    for key, minor, currency in found:
        yield Unexplained(Difference.PAYMENT, f"payment {key}", Money(minor, currency))


def _refunds() -> Iterable[Unexplained]:
    found = _differing(
        "refund", Refund, EntryKind.REFUND, Refund.currency, Refund.amount_minor,
        Refund.state == RefundState.DONE,
    )  # fmt: skip
    for key, minor, currency in found:
        yield Unexplained(Difference.REFUND, f"refund {key}", Money(minor, currency))


def _owed() -> Iterable[Unexplained]:
    """Buyers owe the open parts of what was delivered to them, and nothing else.

    Nobody is owed more than what is on its way back.
    """
    on_its_way: dict[tuple[str, str], int] = defaultdict(int)
    requested = (
        select(Order.number, Refund.currency, Refund.amount_minor)
        .join(Order, Order.id == Refund.order_id)
        .where(Refund.state == RefundState.REQUESTED)
    )
    for number, currency, minor in db.session.execute(requested):
        on_its_way[f"order:{number}", currency] += minor
    asked: dict[tuple[str, str], int] = {}
    open_parts = (
        select(Order.number, Due.currency, func.sum(OPEN_MINOR))
        .join(Order, Order.id == Due.order_id)
        .where(Order.delivered_at.is_not(None), OPEN_MINOR > 0)
        .group_by(Order.number, Due.currency)
    )
    for number, currency, minor in db.session.execute(open_parts):
        asked[f"order:{number}", currency] = int(minor)
    owed = func.sum(LedgerPosting.amount_minor)
    statement = (
        select(LedgerEntry.about, LedgerPosting.currency, owed)
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            LedgerPosting.account == Account.RECEIVABLE.value,
            LedgerEntry.about.startswith("order:"),
        )
        .group_by(LedgerEntry.about, LedgerPosting.currency)
        .having(owed != 0)
        .order_by(LedgerEntry.about)
    )
    for about, currency, minor in db.session.execute(statement):
        more = int(minor) - asked.pop((about, currency), 0)
        if not -on_its_way[about, currency] <= more <= 0:
            yield Unexplained(Difference.OWED, about, Money(more, currency))
    for (about, currency), minor in sorted(asked.items()):
        yield Unexplained(Difference.OWED, about, Money(-minor, currency))


def _weeks_to_come() -> Iterable[Unexplained]:
    told: dict[tuple[str, str], int] = defaultdict(int)
    lines = movements()
    deferred = (
        select(
            lines.c.product, lines.c.currency, func.sum(lines.c.credit_minor - lines.c.debit_minor)
        )
        .where(lines.c.account == Account.DEFERRED.value, lines.c.product.startswith("run:"))
        .group_by(lines.c.product, lines.c.currency)
    )
    for product, currency, minor in db.session.execute(deferred):
        told[product, currency] = int(minor)
    held = (
        select(Order.run_id, Order.currency, func.sum(OrderRevenue.deferred_minor))
        .join(Order, Order.id == OrderRevenue.order_id)
        .where(Order.run_id.is_not(None))
        .group_by(Order.run_id, Order.currency)
    )
    rows = {(f"run:{run}", code): int(minor) for run, code, minor in db.session.execute(held)}
    for product, currency in sorted(told.keys() | rows.keys()):
        more = told[product, currency] - rows.get((product, currency), 0)
        if more:
            yield Unexplained(Difference.DEFERRED, product, Money(more, currency))


def _places() -> Iterable[Unexplained]:
    for order in db.session.scalars(queries.paid_not_enrolled()):
        yield Unexplained(Difference.NOT_ENROLLED, f"order:{order.number}", order.total)
    for enrolment in db.session.scalars(queries.enrolled_not_paid(with_late=False)):
        yield Unexplained(Difference.NOT_PAID, f"enrolment {enrolment.id}")


CHECKS = [
    LedgerCheck("sales", _sales),
    LedgerCheck("invoices", _invoices),
    LedgerCheck("grants", _grants),
    LedgerCheck("payments", _payments),
    LedgerCheck("refunds", _refunds),
    LedgerCheck("owed", _owed),
    LedgerCheck("weeks_to_come", _weeks_to_come),
    LedgerCheck("places", _places),
    LedgerCheck("order_sums", differing_sums),
]
