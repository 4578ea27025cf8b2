"""Blocks of places as something that is bought: seats are held, sold, and go back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import delete, exists, select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.money import Money
from lms.core.templating import format_days, format_money
from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.courses.errors import EnrolmentClosed, RunFull
from lms.courses.models import CourseRun, EnrolmentState, PublicationState
from lms.courses.services.access import note_owed
from lms.courses.services.enrolment import end_enrolment, lock_run
from lms.courses.services.held_seats import find_held, free_held, keep_seats
from lms.directory.models import Organisation
from lms.payments.errors import OrderClosed
from lms.payments.models import OPEN, Order, PaymentException, RefundReason
from lms.payments.products import Delivery, Item, Onward, Product, Refused, Taxable
from lms.payments.seat_models import SEATS, Seat, SeatBlock
from lms.payments.services.places import course_taxable
from lms.pricing.services.quotes import Calculation, PriceBook, Terms, calculate

FORGOTTEN_AFTER = timedelta(days=30)  # what was chosen and never ordered


class SeatsInRun(Product):
    """Places of a run that one person buys for others."""

    name = SEATS
    label = lazy_gettext("Places for others")
    can_be_offered = True

    def find(self, key: uuid.UUID, buyer: User, country: str | None) -> Item:
        """What the buyer chose, at their organisation's price. Raises NotFound."""
        block = find_block(key)
        if block is None or block.user_id != buyer.id or block.bought_at is not None:
            raise NotFound
        terms, calculations = prices_of(block, country)
        run = block.run
        return Item(
            SEATS,
            block.uuid,
            run.course.title,
            _for_all(calculations, block.seats),
            quantity=block.seats,
            run=run,
            details=[
                (_("Dates"), format_days(run.starts_on, run.ends_on)),
                (_("Places"), str(block.seats)),
            ],
            back=(
                absolute_url("payments.choose_seats", run_uuid=run.uuid),
                _("Change the number of places"),
            ),
            rule=_(
                "Places that nobody has taken can be given back one by one: before the first day"
                " the whole price comes back, then what is not taught yet, less a fee. If the run"
                " is cancelled, all comes back."
            ),
            calculations=calculations,
            terms=terms,
            organisation=in_language(block.organisation.name) if block.organisation else "",
        )

    def country_for(self, key: uuid.UUID, buyer: User) -> str | None:
        """That of the organisation."""
        block = find_block(key)
        organisation = block.organisation if block else None
        return (organisation.country if organisation else None) or buyer.country

    def lock(self, order: Order) -> None:
        """The run, as everybody does who counts its seats."""
        lock_run(order.place)

    def hold(self, order: Order, for_: timedelta) -> None:
        """Hold the seats. Raises RunFull, EnrolmentClosed, and OrderClosed for what is bought."""
        if block_of(order).bought_at is not None:
            raise OrderClosed
        keep_seats(order.place, _key(order), order.quantity, clock.now() + for_)

    def hold_until(self, order: Order, until: datetime) -> None:
        """Hold the seats so long."""
        if find_held(_key(order)) is not None:
            keep_seats(order.place, _key(order), order.quantity, until)

    def release(self, order: Order, *, is_over: bool) -> None:
        """Free the seats; when time has passed, unless they are held longer or taken up again."""
        held = find_held(_key(order))
        if held is None or held.expires_at is None:
            return
        if is_over and (held.expires_at > clock.now() or _is_open(_key(order))):
            return
        free_held(held.key)

    def refuses(self, order: Order) -> Refused | None:
        """Whether the block is bought already, the run is cancelled or the seats are gone."""
        block = block_of(order)
        if block.bought_at is not None:
            return Refused(PaymentException.PAID_TWICE, RefundReason.PAID_TWICE)
        if order.place.state == PublicationState.CANCELLED:
            return Refused(PaymentException.RUN_CANCELLED, RefundReason.RUN_CANCELLED)
        held = find_held(block.uuid)
        if held is not None and held.seats >= order.quantity:
            return None
        try:
            keep_seats(order.place, block.uuid, order.quantity, clock.now() + timedelta(hours=1))
        except (RunFull, EnrolmentClosed):
            return Refused(PaymentException.SEAT_GONE, RefundReason.SEAT_GONE)
        return None

    def deliver(self, order: Order) -> None:
        """The seats are sold: the buyer may give them to people."""
        block = block_of(order)
        if block.bought_at is not None:
            return
        keep_seats(order.place, block.uuid, order.quantity, None)
        block.seats, block.order_id, block.bought_at = order.quantity, order.id, clock.now()
        db.session.add_all(
            Seat(block_id=block.id, number=number) for number in range(1, order.quantity + 1)
        )
        db.session.flush()

    def take_back(self, order: Order) -> None:
        """Without money nobody sits on them, and they are free for others."""
        block = block_of(order)
        if block.order_id != order.id or block.ended_at is not None:
            return
        block.ended_at = clock.now()
        block.code_hash = block.code_sealed = None
        for seat in places_of(block):
            enrolment = seat.enrolment
            seat.clear()
            seat.returned_at = seat.returned_at or clock.now()
            db.session.flush()
            if enrolment is not None:
                end_enrolment(enrolment, EnrolmentState.REFUNDED)
        free_held(block.uuid)

    def note_owed(self, order: Order, *, is_owed: bool, is_late: bool) -> None:
        """What is written off closes the study pages of all who sit on the places.

        No certificate of theirs waits: it is not they who owe.
        """
        for seat in places_of(block_of(order)):
            if seat.enrolment is not None and seat.enrolment.has_place:
                note_owed(seat.enrolment, is_owed=False, is_late=is_late)

    def delivery(self, order: Order) -> Delivery:
        """On to the page on which they are given away."""
        block = block_of(order)
        if block.order_id != order.id:
            return Delivery(False)
        address = absolute_url("payments.show_block", block_uuid=block.uuid)
        note = _("Places that you can give to your people now: %(count)s.", count=block.seats)
        return Delivery(True, Onward(address, _("Give the places away")), [note])

    def taxable(self, order: Order) -> Taxable:
        """The course with its days, how many places, and the price of one."""
        course = course_taxable(order.place)
        unit = Money(order.total_minor // order.quantity, order.currency)
        return Taxable(
            _(
                "%(course)s, places: %(count)s at %(price)s",
                course=course.description,
                count=order.quantity,
                price=format_money(unit),
            ),
            course.supply,
            course.facts,
        )


def _for_all(calculations: Mapping[str, Calculation], seats: int) -> dict[str, Money]:
    return {code: Money(one.total.minor * seats, code) for code, one in calculations.items()}


def _key(order: Order) -> uuid.UUID:
    assert order.item is not None
    return order.item


def _is_open(key: uuid.UUID) -> bool:
    found = exists().where(Order.product == SEATS, Order.item == key, Order.state.in_(OPEN))
    return bool(db.session.scalar(select(found)))


def find_block(key: uuid.UUID) -> SeatBlock | None:
    """The block with this uuid."""
    return db.session.scalar(select(SeatBlock).where(SeatBlock.uuid == key))


def block_of(order: Order) -> SeatBlock:
    """The block that an order is for."""
    return db.session.scalars(select(SeatBlock).where(SeatBlock.uuid == order.item)).one()


def places_of(block: SeatBlock) -> list[Seat]:
    """The places of a block, as they are in the database now."""
    return list(
        db.session.scalars(
            select(Seat)
            .where(Seat.block_id == block.id)
            .order_by(Seat.number)
            .execution_options(populate_existing=True)
        )
    )


def prices_of(block: SeatBlock, country: str | None) -> tuple[Terms, Mapping[str, Calculation]]:
    """What one place costs the buyer, by currency, and what that rests on.

    The contracts of the organisation that is bought for count, no others; nobody chooses what to
    pay for others.
    """
    book = PriceBook([block.run], block.user, country)

    def terms(currency: str | None = None) -> Terms:
        found = book.terms(block.run, currency)
        contracts = tuple(
            row for row in found.contracts if row.organisation_id == block.organisation_id
        )
        return replace(found, contracts=contracts, choice=None)

    first = terms()
    return first, {code: calculate(terms(code)) for code in first.currencies}


def choose_seats(
    run: CourseRun, user: User, seats: int, organisation: Organisation | None
) -> SeatBlock:
    """Keep what somebody wants to buy; what they chose before for this run is changed.

    Raises EnrolmentClosed.
    """
    run = lock_run(run)
    block = db.session.scalar(
        select(SeatBlock).where(
            SeatBlock.run_id == run.id,
            SeatBlock.user_id == user.id,
            SeatBlock.bought_at.is_(None),
        )
    )
    if block is None:
        block = SeatBlock(run_id=run.id, user_id=user.id)
        db.session.add(block)
    block.seats = seats
    block.organisation_id = organisation.id if organisation else None
    db.session.flush()
    return block


def forget_choices() -> int:
    """Delete what was chosen and never ordered; how many."""
    ordered = exists().where(Order.product == SEATS, Order.item == SeatBlock.uuid)
    old = select(SeatBlock.id).where(
        SeatBlock.bought_at.is_(None),
        SeatBlock.created_at < clock.now() - FORGOTTEN_AFTER,
        ~ordered,
    )
    ids = db.session.scalars(old).all()
    db.session.execute(delete(SeatBlock).where(SeatBlock.id.in_(ids)))
    return len(ids)
