"""What happens with orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lms.core.events import Event
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.payments.models import Order, Refund


@dataclass(frozen=True)
class OrderPaid(Event):
    """An order is paid, or there was nothing to pay; its buyer is enrolled."""

    order: Order


@dataclass(frozen=True)
class PaymentOpened(Event):
    """The way to pay an order was opened: a payment page, or instructions."""

    order: Order


@dataclass(frozen=True)
class OrderDelivered(Event):
    """The buyer has what was bought; a part of it is still to be paid."""

    order: Order


@dataclass(frozen=True)
class RefundAsked(Event):
    """Money of an order is to go back, and somebody has to send it by hand."""

    order: Order
    refund: Refund


@dataclass(frozen=True)
class OrderRefunded(Event):
    """Money of an order went back to the buyer."""

    order: Order
    refund: Refund


@dataclass(frozen=True)
class PaymentFailed(Event):
    """A try to pay failed; the order may still be open for another one."""

    order: Order
    reason: str | None  # the gateway's code


@dataclass(frozen=True)
class WeekEarned(Event):
    """A week of a run was taught, and the ledger tells what was earned by it.

    earned: by order id. day: the one that the week's entries are told for.
    """

    run: CourseRun
    week: int
    day: date
    earned: Mapping[int, Money]


@dataclass(frozen=True)
class SaleTakenBack(Event):
    """A part of a sale is not paid for any more; negative amounts when it holds after all.

    to_come: of weeks still to be taught. taught: of what had been earned.
    """

    order: Order
    day: date
    to_come: Money
    taught: Money
