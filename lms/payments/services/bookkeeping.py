"""What orders, payments and refunds mean in double entry: the only place that posts for them.

- A sale is owed by the buyer and, without its tax, until its weeks are taught, owed to the buyer;
  its tax is owed to whose it is. It is told when its invoice is issued.
- What a scholarship pays of a sale comes from its fund, which was paid before: the whole price is
  sold, and the buyer owes the rest.
- Money that comes in or goes back moves what the buyer owes.
- A refund takes back of the sale what is not paid for any more, with its tax: weeks to come first;
  the fund gets back its part in proportion. Parts that are due on days are still asked for; one
  that is waived is taken back likewise, and one that is written off is lost.
- A week that was taught turns its share of each sale into income; what is for no run is income at
  once.

Every function is safe to repeat: an entry's source tells it once.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, func, literal, or_, select

from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.core.settings import settings
from lms.courses.models import CourseRun
from lms.courses.services.enrolment import lock_run
from lms.invoicing.services.invoices import taxes_of
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.models import LedgerEntry
from lms.ledger.queries import balance_about, find_entry
from lms.ledger.services.entries import post
from lms.payments.due_models import Relief, ReliefKind
from lms.payments.events import OrderPaid, SaleTakenBack, WeekEarned
from lms.payments.gateways.base import payment_gateways
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
from lms.payments.products import ledger_product, product_of
from lms.payments.queries.dues import owed_of
from lms.payments.services import grants, order_invoices
from lms.payments.services.orders import lock_order

AT_ONCE = 500


def _day(instant: datetime) -> date:
    return clock.local_date(instant, settings().default_time_zone)


def about(order: Order) -> str:
    """How entries name an order."""
    return f"order:{order.number}"


def money_account(gateway_name: str, order: Order) -> str:
    """Where money of this way to pay lies when it has come in for an order."""
    gateway = payment_gateways.get(gateway_name)
    return gateway.ledger_account_for(order) if gateway else Account.CLEARING.of(gateway_name)


def _post(
    kind: EntryKind,
    source: str,
    happened_on: date,
    order: Order,
    amounts: dict[str, Money],
    rail: str | None = None,
) -> int | None:
    return post(
        kind,
        source,
        happened_on,
        amounts,
        about=about(order),
        product=ledger_product(order),
        country=order.country,
        rail=rail or order.gateway,
    )


def book_sale(order: Order) -> None:
    """The order has its receipt: it is invoiced, owed by the buyer, and to the buyer as weeks.

    What is for no run is earned at once. Without an invoice, for want of a tax row, the sale waits
    for `book_missing`.
    """
    grant = grants.grant_to_book(order)
    if not order.total and grant is None:
        return
    assert order.sold_at is not None
    invoice = order_invoices.issue_for(order)
    if invoice is None:
        return
    sold = invoice.net + grant.amount if grant else invoice.net
    to_come = sold if order.run_id else Money(0, order.currency)
    amounts: dict[str, Money] = {
        Account.RECEIVABLE: order.total,
        Account.DEFERRED if order.run_id else product_of(order).income: -sold,
        **_tax_postings(taxes_of(invoice), -1),
    }
    if grant is not None:
        amounts[grant.award.fund.account] = grant.amount
    if _post(EntryKind.SALE, f"order:{order.id}", _day(order.sold_at), order, amounts) is None:
        return
    db.session.add(OrderRevenue(order_id=order.id, deferred_minor=to_come.minor))
    if grant is not None:
        grants.note_booked(grant)
    db.session.flush()


def book_free_sale(event: OrderPaid) -> None:
    """Nothing was to be paid: what a scholarship pays is sold all the same. Safe to repeat."""
    if not event.order.total:
        book_sale(event.order)


def _tax_postings(taxes: dict[str, Money], sign: int) -> dict[str, Money]:
    return {
        Account.TAX.of(whose): amount if sign > 0 else -amount for whose, amount in taxes.items()
    }


def book_payment(payment: Payment) -> None:
    """Money came in, whatever becomes of it."""
    amounts = {
        money_account(payment.gateway, payment.order): payment.amount,
        Account.RECEIVABLE: -payment.amount,
    }
    source, day = f"payment:{payment.id}", _day(payment.received_at)
    _post(EntryKind.PAYMENT, source, day, payment.order, amounts, payment.gateway)


def book_refund(refund: Refund) -> None:
    """Money went back: of the sale remains what is still paid for."""
    assert refund.done_at is not None
    order, day, rail = refund.order, _day(refund.done_at), refund.payment.gateway
    rail = "credit" if refund.is_credit else rail
    amounts = {Account.RECEIVABLE: refund.amount, money_account(rail, order): -refund.amount}
    if _post(EntryKind.REFUND, f"refund:{refund.id}", day, order, amounts, rail) is None:
        return
    _take_back_unpaid(order, f"refund:{refund.id}", day, rail)


def book_relief(relief: Relief) -> None:
    """A part of a sale is not asked for any more: taken back, or lost for good."""
    order, day, source = relief.order, _day(relief.made_at), f"relief:{relief.id}"
    if relief.kind == ReliefKind.WAIVED:
        _take_back_unpaid(order, source, day, order.gateway)
        return
    amounts: dict[str, Money] = {
        Account.BAD_DEBT: relief.amount,
        Account.RECEIVABLE: -relief.amount,
    }
    _post(EntryKind.BAD_DEBT, source, day, order, amounts)


def book_bad_debt_back(payment: Payment, amount: Money) -> None:
    """Money came in for what was written off: so much of it is not lost after all."""
    source, day = f"payment:{payment.id}", _day(payment.received_at)
    amounts: dict[str, Money] = {Account.RECEIVABLE: amount, Account.BAD_DEBT: -amount}
    _post(EntryKind.BAD_DEBT_BACK, source, day, payment.order, amounts, payment.gateway)


def _take_back_unpaid(order: Order, source: str, day: date, rail: str | None) -> None:
    """Take back of the sale what is neither paid for nor asked for any more."""
    back = Money(_owed(order) - owed_of(order), order.currency)
    revenue = db.session.get(OrderRevenue, order.id)
    if back.minor <= 0 or revenue is None:
        return
    taxes = order_invoices.credit(order, source, back)
    others = {Account.RECEIVABLE: -back, **_tax_postings(taxes, 1)}
    _take_back(source, day, order, others, grants.part_to_give_back(order), rail)


def give_grant_back(order: Order, part: Money) -> None:
    """Nothing was paid but by a scholarship: the fund gets this part back, once.

    part: at most what the fund has paid.
    """
    if not part or db.session.get(OrderRevenue, order.id) is None:
        return
    _take_back(f"order:{order.id}", _day(clock.now()), order, {}, part)


def _take_back(
    source: str,
    day: date,
    order: Order,
    others: dict[str, Money],
    from_fund: Money,
    rail: str | None = None,
) -> None:
    """Take back a part of a sale: weeks to come first. others: what the buyer owes less, taxes."""
    revenue, grant = db.session.get_one(OrderRevenue, order.id), grants.find_grant(order)
    if grant is not None and from_fund:
        others = others | {grant.award.fund.account: -from_fund}
    net = Money(-sum(amount.minor for amount in others.values()), order.currency)
    to_come = Money(min(net.minor, revenue.deferred_minor), order.currency)
    taught = net - to_come
    amounts = {Account.DEFERRED: to_come, Account.REFUNDS: taught, **others}
    if _post(EntryKind.CREDIT_NOTE, source, day, order, amounts, rail) is None:
        return
    revenue.deferred_minor -= to_come.minor
    revenue.taken_back_minor += taught.minor
    grants.note_given_back(order, from_fund)
    db.session.flush()
    emit(SaleTakenBack(order, day, to_come, taught))


def book_transfer(order: Order, before: CourseRun) -> None:
    """The buyer moves to another run: what is paid for weeks to come belongs to that one now."""
    revenue = db.session.get(OrderRevenue, order.id)
    if revenue is None:
        return
    amount, day = Money(revenue.deferred_minor, order.currency), _day(clock.now())
    source = f"order:{order.id}:{uuid.uuid4()}"  # the order says where it belongs
    for kind, run_id, moved in (
        (EntryKind.MOVED_FROM, before.id, amount),
        (EntryKind.MOVED_TO, order.place.id, -amount),
    ):
        post(
            kind,
            source,
            day,
            {Account.DEFERRED: moved, Account.RECEIVABLE: -moved},
            about=about(order),
            product=f"run:{run_id}",
            country=order.country,
            rail=order.gateway,
        )
    revenue.weeks_earned = 0
    db.session.flush()


def book_failed_refund(refund: Refund) -> None:
    """A refund that was done did not arrive: all that it did is undone."""
    order, day, rail = refund.order, _day(clock.now()), refund.payment.gateway
    source = f"refund:{refund.id}"
    order_invoices.undo_credit(refund)
    for done, undone in (
        (EntryKind.REFUND, EntryKind.REFUND_FAILED),
        (EntryKind.CREDIT_NOTE, EntryKind.CREDIT_NOTE_UNDONE),
    ):
        entry = find_entry(source, done)
        if entry is None:
            continue
        amounts = {posting.account: -posting.amount for posting in entry.postings}
        if done == EntryKind.CREDIT_NOTE:
            _fund_pays_again(order, amounts)
        if _post(undone, source, day, order, amounts, rail) is None:
            continue
        revenue = db.session.get(OrderRevenue, order.id)
        if done == EntryKind.CREDIT_NOTE and revenue is not None:
            back = {account: amount.minor for account, amount in amounts.items()}
            revenue.deferred_minor -= back.get(Account.DEFERRED, 0)
            revenue.taken_back_minor += back.get(Account.REFUNDS, 0)
            revenue.weeks_earned = max(0, revenue.weeks_earned - 1)  # so that the rest is earned
            db.session.flush()
            to_come, taught = (
                Money(back.get(account, 0), order.currency)
                for account in (Account.DEFERRED, Account.REFUNDS)
            )
            emit(SaleTakenBack(order, day, to_come, taught))
    db.session.flush()


def _fund_pays_again(order: Order, amounts: dict[str, Money]) -> None:
    """The fund's part of a sale that holds after all.

    A fund that has given the money to others meanwhile keeps them: that part is sold no more.
    """
    grant = grants.find_grant(order)
    part = amounts.get(grant.award.fund.account) if grant else None
    if grant is None or part is None or grants.note_paid_again(order, part):
        return
    del amounts[grant.award.fund.account]
    for account in (Account.DEFERRED, Account.REFUNDS):
        if account in amounts:
            less = Money(min(part.minor, -amounts[account].minor), part.currency)
            amounts[account] += less
            part -= less


def _owed(order: Order) -> int:
    """What the order's buyer owes by the ledger; negative when more came in."""
    return balance_about(about(order), Account.RECEIVABLE).get(order.currency, 0)


def weeks_of(run: CourseRun) -> int:
    """How many weeks a run has; a part of one counts as a week."""
    return -(-run.days // 7)


def last_day_of_week(run: CourseRun, week: int) -> date:
    """The day with which week `week`, counted from 1, is taught."""
    return min(run.starts_on + timedelta(days=7 * week - 1), run.ends_on)


def weeks_taught(run: CourseRun) -> int:
    """How many weeks of a run are over where it takes place."""
    today = clock.local_date(clock.now(), run.time_zone)
    return sum(last_day_of_week(run, week) < today for week in range(1, weeks_of(run) + 1))


def runs_with_weeks_to_earn() -> list[CourseRun]:
    """Runs that have begun and hold money for weeks that are not earned."""
    waiting = exists().where(
        Order.run_id == CourseRun.id,
        OrderRevenue.order_id == Order.id,
        OrderRevenue.deferred_minor > 0,
    )
    today = clock.now().date()
    found = db.session.scalars(
        select(CourseRun).where(CourseRun.starts_on < today, waiting).order_by(CourseRun.id)
    )
    return list(found)


def earn_weeks(run: CourseRun) -> int:
    """Turn what was paid for the weeks that are taught into income; how many entries were made."""
    lock_run(run)
    made = 0
    for week in range(1, weeks_taught(run) + 1):
        made += _earn_week(run, week, is_last=week == weeks_taught(run))
    return made


def _earn_week(run: CourseRun, week: int, *, is_last: bool) -> int:
    day = last_day_of_week(run, week)
    sold_at = func.coalesce(Order.delivered_at, Order.paid_at)
    statement = (
        select(OrderRevenue, Order.currency, Order.country, Order.gateway, sold_at)
        .join(Order, Order.id == OrderRevenue.order_id)
        .where(
            Order.run_id == run.id,
            OrderRevenue.deferred_minor > 0,
            OrderRevenue.weeks_earned < week,
        )
        .order_by(Order.currency, Order.country, Order.gateway, Order.id)
    )
    earned: dict[tuple[str, str, str], int] = defaultdict(int)
    by_order: dict[int, Money] = {}
    latest = day
    for revenue, currency, country, rail, sold in db.session.execute(statement):
        sold_on = _day(sold or clock.now())
        if sold_on > day and not is_last:
            continue  # enrolled later: the weeks that are left carry it
        share = revenue.deferred_minor // (weeks_of(run) - week + 1)
        revenue.deferred_minor -= share
        revenue.weeks_earned = week
        latest = max(latest, sold_on)
        earned[currency, country or "", rail or ""] += share
        by_order[revenue.order_id] = Money(share, currency)
    db.session.flush()
    made = 0
    for (currency, country, rail), minor in earned.items():
        amount = Money(minor, currency)
        made += 1 if amount else 0
        post(
            EntryKind.WEEK,
            f"run:{run.id}:week:{week}:{uuid.uuid4()}",  # the rows say what is earned already
            latest,
            {Account.DEFERRED: amount, Account.COURSES: -amount},
            product=f"run:{run.id}",
            country=country,
            rail=rail,
        )
    if by_order:
        emit(WeekEarned(run, week, latest, by_order))
    return made


def _is_not_told(word: str, key: Any, kind: EntryKind) -> ColumnElement[bool]:
    source = literal(f"{word}:") + cast(key, String)
    return ~exists().where(LedgerEntry.source == source, LedgerEntry.kind == kind.value)


def book_missing() -> int:
    """Tell the ledger what happened before it was kept, or past it; how many facts were found."""
    sales = db.session.scalars(
        select(Order)
        .outerjoin(Receipt, Receipt.order_id == Order.id)
        .where(
            or_(Receipt.id.is_not(None), Order.delivered_at.is_not(None)),
            Order.total_minor > 0,
            _is_not_told("order", Order.id, EntryKind.SALE),
        )
        .order_by(Order.id)
        .limit(AT_ONCE)
    ).all()
    granted = db.session.scalars(
        select(Order)
        .join(OrderGrant, OrderGrant.order_id == Order.id)
        .where(
            Order.total_minor == 0,
            Order.state == OrderState.PAID,
            OrderGrant.released_at.is_(None),
            OrderGrant.booked_at.is_(None),
        )
        .order_by(Order.id)
        .limit(AT_ONCE)
    ).all()
    for order in (*sales, *granted):
        book_sale(lock_order(order))
    payments = db.session.scalars(
        select(Payment)
        .where(_is_not_told("payment", Payment.id, EntryKind.PAYMENT))
        .order_by(Payment.id)
        .limit(AT_ONCE)
    ).all()
    for payment in payments:
        book_payment(payment)
    refunds = db.session.scalars(
        select(Refund)
        .where(
            Refund.state == RefundState.DONE,
            _is_not_told("refund", Refund.id, EntryKind.REFUND),
        )
        .order_by(Refund.done_at, Refund.id)
        .limit(AT_ONCE)
    ).all()
    for refund in refunds:
        lock_order(refund.order)
        book_refund(refund)
    return len(sales) + len(granted) + len(payments) + len(refunds)
