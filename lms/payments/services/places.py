"""A place in a course run, as something that is bought: its seat is held, given and taken back."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime, timedelta

from flask_babel import lazy_gettext
from sqlalchemy import exists, select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.templating import format_days
from lms.core.text import in_language
from lms.courses.activity_types.base import activity_types
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed
from lms.courses.events import EnrolmentEnded
from lms.courses.models import (
    HOLDS_SEAT,
    Activity,
    CourseRun,
    Enrolment,
    EnrolmentState,
    PublicationState,
)
from lms.courses.services.access import note_owed
from lms.courses.services.enrolment import (
    activate,
    end_enrolment,
    has_free_seat,
    hold_seat,
    join_waiting_list,
    lock_run,
)
from lms.invoicing.taxes import Fact, SupplyKind
from lms.payments import queries
from lms.payments.models import Order, OrderState, PaymentException, RefundReason
from lms.payments.products import PLACE, Item, Product, Refused, Taxable
from lms.payments.services.grants import find_grant
from lms.payments.services.orders import close_order

_PAID_TWICE = Refused(PaymentException.PAID_TWICE, RefundReason.PAID_TWICE)
_CANCELLED = Refused(PaymentException.RUN_CANCELLED, RefundReason.RUN_CANCELLED)
_SEAT_GONE = Refused(PaymentException.SEAT_GONE, RefundReason.SEAT_GONE)


class PlaceInRun(Product):
    """A place in a course run; it has a checkout of its own, where prices are drawn."""

    name = PLACE
    label = lazy_gettext("Place in a course run")

    def find(self, key: uuid.UUID, buyer: User, country: str | None) -> Item:
        """Places are bought at their own checkout."""
        raise NotFound

    def lock(self, order: Order) -> None:
        """The run, as everybody does who counts its seats."""
        lock_run(order.place)

    def hold(self, order: Order, for_: timedelta) -> None:
        """Hold the seat. Raises what `hold_seat` raises."""
        hold_seat(order.place, order.user, method="payment", for_=for_)

    def hold_until(self, order: Order, until: datetime) -> None:
        """Hold the seat so long."""
        enrolment = order.enrolment
        if enrolment is not None and enrolment.state == EnrolmentState.PENDING_PAYMENT:
            enrolment.offer_expires_at = max(enrolment.offer_expires_at or until, until)

    def release(self, order: Order, *, is_over: bool) -> None:
        """Free the seat; when time has passed, unless it is held longer or taken up again."""
        enrolment = order.enrolment
        if enrolment is None or enrolment.state != EnrolmentState.PENDING_PAYMENT:
            return
        if is_over:
            until = enrolment.offer_expires_at
            is_held = until is None or until > clock.now()
            if is_held or queries.find_open_order(order.place, order.user) is not None:
                return
        end_enrolment(enrolment, EnrolmentState.EXPIRED)

    def refuses(self, order: Order) -> Refused | None:
        """Whether the buyer studies already, the run is cancelled or the seat is gone.

        Who comes too late waits for the next seat.
        """
        enrolment = _enrolment(order)
        if enrolment is not None and enrolment.has_place:
            return _PAID_TWICE
        if order.place.state == PublicationState.CANCELLED:
            return _CANCELLED
        has_seat = enrolment is not None and enrolment.state in HOLDS_SEAT
        if has_seat or has_free_seat(order.place):
            return None
        with suppress(EnrolmentClosed, AlreadyEnrolled):  # else there is nothing to wait for
            join_waiting_list(order.place, order.user)
        return _SEAT_GONE

    def deliver(self, order: Order) -> None:
        """The buyer may study."""
        enrolment = _enrolment(order)
        if enrolment is None:
            enrolment = Enrolment(
                run_id=order.place.id,
                user_id=order.user_id,
                method="payment",
                state=EnrolmentState.PENDING_PAYMENT,
            )
            db.session.add(enrolment)
            db.session.flush()
        enrolment.method = _way(order)
        order.enrolment_id = enrolment.id
        other = queries.find_open_order(order.place, order.user)
        if other is not None:
            close_order(other, OrderState.CANCELLED)
        activate(enrolment)

    def take_back(self, order: Order) -> None:
        """Without money there is no seat, unless another payment carries it."""
        enrolment = _enrolment(order)
        carries = order.delivered_at is not None or queries.carries_enrolment(order)
        if enrolment is not None and enrolment.has_place and carries:
            end_enrolment(enrolment, EnrolmentState.REFUNDED)

    def note_owed(self, order: Order, *, is_owed: bool, is_late: bool) -> None:
        """The certificate waits for the last part, and a late one closes the study pages."""
        enrolment = _enrolment(order)
        if enrolment is not None and enrolment.has_place:
            note_owed(enrolment, is_owed=is_owed, is_late=is_late)

    def taxable(self, order: Order) -> Taxable:
        """The course with its days, and whether one can fail it."""
        return course_taxable(order.place)


def course_taxable(run: CourseRun) -> Taxable:
    """A run as it stands on invoices, and whether one can fail it."""
    title = in_language(run.course.title)
    return Taxable(
        f"{title} ({format_days(run.starts_on, run.ends_on)})",
        SupplyKind.COURSE,
        [Fact.CAN_BE_FAILED] if _can_be_failed(run) else [],
    )


def _enrolment(order: Order) -> Enrolment | None:
    return queries.find_enrolment(order.place.id, order.user_id)


def _way(order: Order) -> str:
    """How the buyer came in: what a reduction covers as a whole is no payment."""
    if not order.total and order.voucher_id is not None:
        return "voucher"
    return "scholarship" if not order.total and find_grant(order) else "payment"


def _can_be_failed(run: CourseRun) -> bool:
    """Whether the course asks for something that is graded."""
    graded = [name for name, kind in activity_types.items() if kind.is_graded]
    found = exists().where(
        Activity.course_id == run.course_id, Activity.is_required, Activity.kind.in_(graded)
    )
    return bool(db.session.scalar(select(found)))


def close_orders_of(event: EnrolmentEnded) -> None:
    """The seat is gone, so nobody shall pay for it any more."""
    order = queries.find_open_order(event.enrolment.run, event.enrolment.user)
    if order is not None:
        close_order(order, OrderState.EXPIRED)
