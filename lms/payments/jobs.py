"""Work after commit: asking and telling gateways, mailing receipts, and what the clock starts."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, or_, select

from lms.accounts.models import AccountClaim, User
from lms.accounts.services import claiming
from lms.core import clock
from lms.core.db import db, transaction
from lms.core.errors import DomainError
from lms.core.mail import deliver, make_mail
from lms.core.outbox import Job
from lms.core.rollups import recount_all
from lms.courses.models import CourseRun
from lms.notifications.kinds import notification_kinds
from lms.notifications.messages import write_message
from lms.payments import queries
from lms.payments.bank_models import BankImport
from lms.payments.documents import receipt_name, receipt_pdf
from lms.payments.errors import NothingToRefund
from lms.payments.gateways.base import (
    Fact,
    MovementKind,
    Payable,
    RefundFailed,
    payment_gateways,
)
from lms.payments.models import (
    OPEN,
    Order,
    Payment,
    Refund,
    RefundReason,
    RefundState,
)
from lms.payments.queries import dues as due_queries
from lms.payments.seat_models import SEATS, SeatBlock
from lms.payments.services import (
    bank_imports,
    bank_landing,
    bank_lines,
    bank_names,
    bookkeeping,
    disputes,
    facts,
    guests,
    leaving,
    offers,
    orders,
    parts,
    reconciliation,
    refunds,
    seat_blocks,
    seat_notices,
    seats,
    sums,
)
from lms.payments.services.order_invoices import taxes_told
from lms.payments.terms_models import OrderTerms

FIRST_CHECK_AFTER = timedelta(minutes=3)
SETTLING_CHECK_AFTER = timedelta(hours=6)


def refund(refund_id: int) -> None:
    """Let the gateway send money back; the refund's uuid keeps it from doing so twice."""
    row = db.session.get(Refund, refund_id)
    if row is None or row.state != RefundState.REQUESTED:
        return
    gateway = payment_gateways[row.payment.gateway]
    try:
        reference = gateway.refund(row)
    except RefundFailed as failure:
        with transaction():
            refunds.fail_refund(db.session.get_one(Refund, refund_id), str(failure))
        return
    if reference is not None:  # else the gateway will tell when it has arrived
        with transaction():
            refunds.settle_refund(db.session.get_one(Refund, refund_id), reference)


def refund_order(order_id: int, reason: str) -> None:
    """Give back what an order has left to give back."""
    order = db.session.get(Order, order_id)
    if order is None:
        return
    try:
        refunds.refund_order(order, RefundReason(reason))
    except NothingToRefund:
        return  # done before


def close_page(gateway: str, session: str) -> None:
    """Close a payment page that nobody shall pay on any more."""
    found = payment_gateways.get(gateway)
    if found is not None:
        found.close(session)


def see_card(payment_id: int) -> None:
    """Keep of which country a card is that paid: a fact of where its owner lives."""
    payment = db.session.get(Payment, payment_id)
    if payment is None or payment.card_country or payment.order.user.closed_at:
        return
    country = payment_gateways[payment.gateway].card_country(payment)
    if country is not None:
        with transaction():
            db.session.get_one(Payment, payment_id).card_country = country


def look_up(order_id: int) -> None:
    """Ask the gateway what became of an open order, do it, and expire what is over."""
    order = db.session.get(Order, order_id)
    if order is None or not order.is_open:
        return
    name = order.gateway or ""
    gateway = payment_gateways.get(name)
    told: list[Fact] = []
    if gateway is not None:
        payable: Payable = order.purchase or order
        told = list(gateway.look_up(payable))
    with transaction():
        for fact in told:
            facts.apply_fact(name, fact)
        orders.expire_order(db.session.get_one(Order, order_id))


def reconcile() -> None:
    """Find orders whose time is over or whose gateway is silent, and have each looked at."""
    now = clock.now()
    is_over = Order.expires_at < now
    has_page = or_(Order.gateway_session.is_not(None), Order.purchase_id.is_not(None))
    is_silent = (
        has_page & Order.is_settling.is_(False) & (Order.created_at < now - FIRST_CHECK_AFTER)
    )
    last_look = func.coalesce(Order.checked_at, Order.created_at)
    settles_long = Order.is_settling & (last_look < now - SETTLING_CHECK_AFTER)
    found = db.session.scalars(
        select(Order)
        .where(
            Order.state.in_(OPEN),
            or_(is_over, is_silent, settles_long),
            or_(Order.checked_at.is_(None), Order.checked_at < now - orders.CHECK_AGAIN_AFTER),
        )
        .order_by(Order.expires_at)
        .limit(500)
    ).all()
    for order in found:
        orders.ask_gateway(order, orders.CHECK_AGAIN_AFTER)


def mail_receipt(order_id: int) -> None:
    """Tell the buyer that the order is paid, with the receipt as PDF, once."""
    order = db.session.get(Order, order_id)
    if order is None or order.receipt is None or order.receipt.mailed_at is not None:
        return
    user = order.user
    if user.is_active:
        message = write_message(
            notification_kinds["payments.receipt"],
            queries.facts_for_messages(order) | {"taxes": taxes_told(order)},
            order.language,
            user,
        )
        attachment = (receipt_name(order), "application/pdf", receipt_pdf(order))
        deliver(
            make_mail(
                user.address,
                message.subject,
                message.text,
                message.html,
                language=order.language,
                attachments=[attachment],
            )
        )
    with transaction():
        sent = db.session.get_one(Order, order_id).receipt
        assert sent is not None
        sent.mailed_at = clock.now()


def earn_weeks() -> None:
    """Let each run earn the weeks that were taught, a transaction for each."""
    with transaction(write=False):
        runs = [run.id for run in bookkeeping.runs_with_weeks_to_earn()]
    for run_id in runs:
        with transaction():
            bookkeeping.earn_weeks(db.session.get_one(CourseRun, run_id))


def book_missing() -> None:
    """Tell the ledger what it does not know yet, some hundreds of facts in a transaction."""
    is_more = True
    while is_more:
        with transaction():
            is_more = bookkeeping.book_missing() > 0


def sync_movements() -> None:
    """Ask each payment service what moved there, and take it up, a transaction for each."""
    for gateway in list(payment_gateways.values()):
        asked_at = clock.now()
        movements = gateway.movements(reconciliation.since_when(gateway))
        if movements is None:
            continue
        new = found = 0
        # What comes later rests on what came before, also within one second.
        order = list(MovementKind)
        for movement in sorted(movements, key=lambda one: order.index(one.kind)):
            with transaction():
                is_new, has_found = reconciliation.take_movement(gateway, movement)
            new, found = new + is_new, found + has_found
        for reference in disputes.open_disputes(gateway.name):
            told = gateway.find_dispute(reference)
            if told is not None:
                with transaction():
                    disputes.note_dispute(gateway.name, told)
        held = gateway.balance()
        with transaction():
            reconciliation.keep_sync(gateway, asked_at, new, found, held)


def land_bank_file(import_id: int) -> None:
    """Let a confirmed file land, or say which line did not let it. What breaks off is tried again,
    and after some tries the file has failed."""
    with transaction():
        if not bank_landing.begin(import_id):
            return
    try:
        with transaction(write=False):
            lines = len(bank_imports.read(db.session.get_one(BankImport, import_id)).lines)
        with transaction():
            bank_landing.note_progress(import_id, lines)
        with transaction():
            bank_landing.land(db.session.get_one(BankImport, import_id))
    except (bank_landing.RowFailed, DomainError) as failure:
        line = failure.line if isinstance(failure, bank_landing.RowFailed) else None
        with transaction():
            bank_landing.fail(import_id, line, str(failure.text))


def resume_bank_files() -> None:
    """Take up files that are confirmed and that nothing works on any more."""
    bank_landing.resume()


def match_bank_lines() -> None:
    """Tie open lines of the bank to what was told to the ledger since."""
    bank_lines.match_again()


def tell_of_moved_runs() -> None:
    """Ask buyers whose runs were moved too far what they want, a transaction for each."""
    with transaction(write=False):
        orders_moved = [terms.order_id for terms in leaving.moved_orders()]
    for order_id in orders_moved:
        with transaction():
            terms = db.session.get_one(OrderTerms, order_id)
            if terms.order.product == SEATS:
                seat_notices.tell_of_moved(terms)
            else:
                leaving.tell_of_moved_run(terms)


def remind_of_unused_seats() -> None:
    """Remind buyers of places that nobody has taken, a transaction for each."""
    with transaction(write=False):
        waiting = list(seat_notices.blocks_to_remind())
    for block_id in waiting:
        with transaction():
            seat_notices.remind(db.session.get_one(SeatBlock, block_id))


def tell_of_cancelled_seats(block_ids: list[int]) -> None:
    """Tell buyers of places that their run is cancelled."""
    seat_notices.tell_of_cancelled(block_ids)


def remind_guests() -> None:
    """Remind those who have not claimed what begins soon, a transaction for each."""
    with transaction(write=False):
        waiting = [claim.id for claim in guests.claims_to_remind()]
    for claim_id in waiting:
        with transaction():
            guests.remind(db.session.get_one(AccountClaim, claim_id))


def forget_guests() -> None:
    """Close accounts that nobody claimed and that hold nothing any more."""
    with transaction(write=False):
        waiting = [user.id for user in guests.forgotten()]
    for user_id in waiting:
        with transaction():
            claiming.forget(db.session.get_one(User, user_id))


def look_after_seats() -> None:
    """Forget addresses and codes of runs that are over, and choices that were never ordered."""
    seats.forget_addresses()
    seat_blocks.forget_choices()


def follow_dues() -> None:
    """Remind of what is due and of offers, pause what is late: a transaction for each order."""
    with transaction(write=False):
        owed = list(due_queries.orders_to_follow(parts.BEFORE))
    for order_id in owed:
        with transaction():
            parts.remind(db.session.get_one(Order, order_id))
    with transaction():
        offers.end_offers()


def count_orders() -> None:
    """Bring the sums of what was sold up to date."""
    recount_all(sums.count_orders)


JOBS = [
    Job("payments.count_orders", count_orders, writes=False, every="*/5 * * * *"),
    Job("payments.look_after_seats", look_after_seats, every="40 3 * * *"),
    Job("payments.refund", refund, writes=False, retries=40),
    Job("payments.refund_order", refund_order),
    Job("payments.close_page", close_page, writes=False, retries=4),
    Job("payments.see_card", see_card, writes=False, retries=10),
    Job("payments.look_up", look_up, writes=False, retries=6),
    Job("payments.mail_receipt", mail_receipt, writes=False),
    Job("payments.reconcile", reconcile, every="* * * * *"),
    Job("payments.earn_weeks", earn_weeks, writes=False, every="15 * * * *"),
    Job("payments.sync_movements", sync_movements, writes=False, every="0 3 * * *"),
    Job(bank_imports.LAND_JOB, land_bank_file, writes=False, retries=bank_landing.MOST_TRIES),
    Job("payments.resume_bank_files", resume_bank_files, every="*/10 * * * *"),
    Job("payments.match_bank_lines", match_bank_lines, every="40 3 * * *"),
    Job("payments.forget_bank_files", bank_imports.forget_files, every="50 3 * * *"),
    Job("payments.forget_bank_names", bank_names.forget_old_names, every="55 3 * * *"),
    Job("payments.tell_of_moved_runs", tell_of_moved_runs, writes=False, every="*/20 * * * *"),
    Job("payments.tell_of_cancelled_seats", tell_of_cancelled_seats),
    Job(
        "payments.remind_of_unused_seats", remind_of_unused_seats, writes=False, every="25 7 * * *"
    ),
    Job("payments.remind_guests", remind_guests, writes=False, every="35 * * * *"),
    Job("payments.forget_guests", forget_guests, writes=False, every="45 4 * * *"),
    Job("payments.follow_dues", follow_dues, writes=False, every="40 * * * *"),
    Job("payments.book_missing", book_missing, writes=False, every="20 3 * * *"),
]
