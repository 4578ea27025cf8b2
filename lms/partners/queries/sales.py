"""Sales as the ledger tells them, and what partners have of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Subquery, and_, func, select
from sqlalchemy.orm import aliased, joinedload

from lms.core.db import db
from lms.courses.models import CourseRun
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.partners.shares import Sale
from lms.payments.models import Order, OrderRevenue


@dataclass(frozen=True)
class ToldSale:
    """A sale with its order's facts and the day of the sale, as the ledger tells them."""

    order_id: int
    about: str
    run: CourseRun
    country: str | None
    rail: str | None
    sold_on: date
    sale: Sale


def told_sales(
    order_ids: Iterable[int] | None = None,
    *,
    run_ids: Iterable[int] | None = None,
    since: date | None = None,
) -> list[ToldSale]:
    """Sales as the ledger tells them: of some orders, of some runs, or all; by order."""
    statement = (
        select(Order, OrderRevenue.deferred_minor, LedgerEntry.happened_on)
        .join(OrderRevenue, OrderRevenue.order_id == Order.id)
        .join(LedgerEntry, LedgerEntry.about == "order:" + Order.number)
        .where(LedgerEntry.kind == EntryKind.SALE, Order.run_id.is_not(None))
        .options(joinedload(Order.run))
        .order_by(Order.id)
    )
    if order_ids is not None:
        statement = statement.where(Order.id.in_(list(order_ids)))
    if run_ids is not None:
        statement = statement.where(Order.run_id.in_(list(run_ids)))
    if since is not None:
        statement = statement.where(LedgerEntry.happened_on >= since)
    rows = db.session.execute(statement).all()
    wanted = statement.with_only_columns(LedgerEntry.about).order_by(None).subquery()
    told: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    totals = (
        select(
            LedgerEntry.about,
            LedgerEntry.kind,
            LedgerPosting.account,
            LedgerPosting.currency,
            func.sum(LedgerPosting.amount_minor),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(LedgerEntry.about.in_(select(wanted.c.about)))
        .group_by(
            LedgerEntry.about, LedgerEntry.kind, LedgerPosting.account, LedgerPosting.currency
        )
    )
    currencies = {f"order:{order.number}": order.currency for order, _left, _day in rows}
    for about, kind, account, currency, minor in db.session.execute(totals):
        if currencies[about] == currency:
            told[about][kind, account] += int(minor)
    for about, minor in _exchanged_fees(wanted, currencies):
        told[about][EntryKind.FEE, Account.PROCESSOR] += minor
    return [_told_sale(order, int(left), day, told) for order, left, day in rows]


def _told_sale(
    order: Order, deferred: int, day: date, told: dict[str, dict[tuple[str, str], int]]
) -> ToldSale:
    about = f"order:{order.number}"
    sums = told[about]
    net = -sums[EntryKind.SALE, Account.DEFERRED]
    still_sold = -sum(minor for (_kind, code), minor in sums.items() if code == Account.DEFERRED)
    sale = Sale(
        order.currency,
        gross=sum(m for (kind, _code), m in sums.items() if kind == EntryKind.SALE and m > 0),
        net=net,
        fees=sum(minor for (_kind, account), minor in sums.items() if account == Account.PROCESSOR),
        earned=still_sold - deferred,
        taken_back=sum(
            minor for (_kind, account), minor in sums.items() if account == Account.REFUNDS
        ),
    )
    assert order.run is not None
    return ToldSale(order.id, about, order.run, order.country, order.gateway, day, sale)


def booked_shares(abouts: Iterable[str]) -> dict[tuple[str, str], int]:
    """What partners have of some sales by the ledger: minor units by document and account."""
    found = db.session.execute(
        select(LedgerEntry.about, LedgerPosting.account, func.sum(LedgerPosting.amount_minor))
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            LedgerEntry.about.in_(list(abouts)),
            LedgerEntry.kind.in_([EntryKind.SHARE, EntryKind.SHARE_BACK]),
            LedgerPosting.account.startswith(f"{Account.PARTNER_PAYABLE.value}:"),
        )
        .group_by(LedgerEntry.about, LedgerPosting.account)
    )
    return {(about, account): -int(minor) for about, account, minor in found}


def _exchanged_fees(wanted: Subquery, currencies: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Fees that a service took in the currency of its own account: in that of the sale.

    Each at the rate at which the money it was taken of was exchanged, rounded down as shares are:
    a fee never takes more of the basis than the service took.
    """
    fee, fee_side = aliased(LedgerEntry), aliased(LedgerPosting)
    sold, settled = aliased(LedgerPosting), aliased(LedgerPosting)
    found = db.session.execute(
        select(
            fee.about,
            fee_side.amount_minor,
            sold.currency,
            func.abs(sold.amount_minor),
            func.abs(settled.amount_minor),
        )
        .join(fee_side, and_(fee_side.entry_id == fee.id, fee_side.account == Account.PROCESSOR))
        .join(
            LedgerEntry,
            and_(LedgerEntry.source == fee.source, LedgerEntry.kind == EntryKind.EXCHANGE),
        )
        .join(
            settled,
            and_(
                settled.entry_id == LedgerEntry.id,
                settled.account == Account.EXCHANGE,
                settled.currency == fee_side.currency,
            ),
        )
        .join(
            sold,
            and_(
                sold.entry_id == LedgerEntry.id,
                sold.account == Account.EXCHANGE,
                sold.currency != fee_side.currency,
            ),
        )
        .where(fee.kind == EntryKind.FEE, fee.about.in_(select(wanted.c.about)))
    )
    for about, minor, currency, sold_minor, settled_minor in found:
        if currency == currencies[about]:
            yield about, int(minor) * int(sold_minor) // int(settled_minor)
