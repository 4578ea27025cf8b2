"""What happens with orders."""

from __future__ import annotations

from dataclasses import dataclass

from lms.core.events import Event
from lms.payments.models import Order, Refund


@dataclass(frozen=True)
class OrderPaid(Event):
    """An order is paid, or there was nothing to pay; its buyer is enrolled."""

    order: Order


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
