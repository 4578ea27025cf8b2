"""Words that several pages of payments use."""

from __future__ import annotations

from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext, ngettext, pgettext
from flask_babel.speaklater import LazyString

from lms.core.db import db
from lms.core.models import SiteSetting
from lms.core.templating import format_moment
from lms.core.text import in_language
from lms.payments.due_models import Due
from lms.payments.gateways.bank_transfer import bank_account
from lms.payments.gateways.base import MovementKind, payment_gateways
from lms.payments.models import Order, OrderState, PaymentException, RefundReason, RefundState
from lms.payments.movement_models import DisputeState
from lms.payments.products import products
from lms.payments.queries import dues
from lms.payments.seat_models import SeatState
from lms.payments.views import bp

STATES: dict[str, LazyString] = {
    OrderState.QUOTED: lazy_gettext("Offered"),
    OrderState.DRAFT: lazy_gettext("Not paid yet"),
    OrderState.PENDING: lazy_gettext("Waiting for the payment"),
    OrderState.OWED: lazy_gettext("Delivered, not all paid"),
    OrderState.PAID: lazy_gettext("Paid"),
    OrderState.PARTIALLY_REFUNDED: lazy_gettext("Partly refunded"),
    OrderState.REFUNDED: lazy_pgettext("order", "Refunded"),
    OrderState.CANCELLED: lazy_pgettext("order", "Cancelled"),
    OrderState.EXPIRED: lazy_gettext("Expired"),
}
_KINDS = {
    OrderState.QUOTED: "neutral",
    OrderState.DRAFT: "warning",
    OrderState.PENDING: "warning",
    OrderState.OWED: "warning",
    OrderState.PAID: "success",
    OrderState.PARTIALLY_REFUNDED: "neutral",
    OrderState.REFUNDED: "neutral",
    OrderState.CANCELLED: "neutral",
    OrderState.EXPIRED: "neutral",
}
_REASONS = {
    RefundReason.BY_ADMINISTRATOR: lazy_gettext("by an administrator"),
    RefundReason.PAID_TWICE: lazy_gettext("paid twice"),
    RefundReason.SEAT_GONE: lazy_gettext("no place was free any more"),
    RefundReason.RUN_CANCELLED: lazy_gettext("the course run was cancelled"),
    RefundReason.DISPUTE_LOST: lazy_gettext("the buyer’s bank took it back"),
    RefundReason.BY_BUYER: lazy_gettext("the buyer gave it up"),
    RefundReason.RUN_MOVED: lazy_gettext("the run was moved too far"),
    RefundReason.AT_GATEWAY: lazy_gettext("made at the payment service"),
}
_EXCEPTIONS = {
    PaymentException.AMOUNT_DIFFERS: lazy_gettext("not the amount of the order"),
    PaymentException.PAID_TWICE: lazy_gettext("paid twice, given back"),
    PaymentException.SEAT_GONE: lazy_gettext("came too late, given back"),
    PaymentException.RUN_CANCELLED: lazy_gettext("came after the run was cancelled, given back"),
}
MOVEMENTS: dict[str, LazyString] = {
    MovementKind.PAYMENT: lazy_gettext("Payment"),
    MovementKind.REFUND: lazy_gettext("Refund"),
    MovementKind.REFUND_FAILED: lazy_gettext("Refund that did not arrive"),
    MovementKind.DISPUTE: lazy_gettext("Dispute"),
    MovementKind.DISPUTE_WON: lazy_gettext("Dispute won"),
    MovementKind.PAYOUT: lazy_gettext("Payout to the bank"),
    MovementKind.FEE: lazy_gettext("Fee"),
    MovementKind.OTHER: lazy_gettext("Something else"),
}
_DISPUTES = {
    DisputeState.OPEN: (lazy_pgettext("dispute", "Open"), "warning"),
    DisputeState.WON: (lazy_pgettext("dispute", "Won"), "success"),
    DisputeState.LOST: (lazy_pgettext("dispute", "Lost"), "danger"),
}
_SEATS = {
    SeatState.FREE: (lazy_pgettext("place", "Free"), "neutral"),
    SeatState.INVITED: (lazy_pgettext("place", "Invited"), "warning"),
    SeatState.TAKEN: (lazy_pgettext("place", "Taken"), "success"),
    SeatState.EXPIRED: (lazy_pgettext("place", "Expired"), "neutral"),
    SeatState.RETURNED: (lazy_pgettext("place", "Given back"), "neutral"),
}
_REFUND_STATES = {
    RefundState.REQUESTED: lazy_gettext("on its way"),
    RefundState.DONE: lazy_gettext("done"),
    RefundState.FAILED: lazy_gettext("failed"),
}


@bp.app_template_filter("order_state")
def order_state(state: str) -> str:
    """An order's state in words."""
    return str(STATES[OrderState(state)])


@bp.app_template_filter("order_state_kind")
def order_state_kind(state: str) -> str:
    """The kind of badge for an order's state."""
    return _KINDS[OrderState(state)]


@bp.app_template_filter("part_state")
def part_state(due: Due) -> str:
    """Where a part of an order stands, in words."""
    if due.lost_minor:
        return str(pgettext("part", "written off"))
    if not due.open_minor:
        return (
            str(pgettext("part", "paid"))
            if due.paid_minor
            else str(pgettext("part", "not asked for any more"))
        )
    days = due.days_late(dues.today())
    if days > 0:
        return str(ngettext("late by %(num)s day", "late by %(num)s days", days))
    return (
        str(pgettext("part", "paid in part")) if due.paid_minor else str(pgettext("part", "open"))
    )


@bp.app_template_filter("product_label")
def product_label(name: str) -> str:
    """What kind of thing was bought; also of a product whose plugin is gone."""
    product = products.get(name)
    return str(product.label) if product else name


@bp.app_template_filter("checkout_url")
def checkout_url(order: Order) -> str:
    """Where the same is bought again, or paid in another way."""
    if order.is_for_place:
        return url_for("payments.checkout", run_uuid=order.place.uuid)
    return url_for("payments.buy", product=order.product, item=order.item)


@bp.app_template_filter("refund_reason")
def refund_reason(reason: str) -> str:
    """Why money goes back, in words."""
    return str(_REASONS[RefundReason(reason)])


@bp.app_template_filter("movement_kind")
def movement_kind(kind: str) -> str:
    """What kind of movement at a payment service, in words."""
    return str(MOVEMENTS[MovementKind(kind)])


@bp.app_template_filter("dispute_state")
def dispute_state(state: str) -> tuple[str, str]:
    """Where a dispute stands: words, and the kind of badge."""
    words, kind = _DISPUTES[DisputeState(state)]
    return str(words), kind


@bp.app_template_filter("refund_state")
def refund_state(state: str) -> str:
    """A refund's state in words."""
    return str(_REFUND_STATES[RefundState(state)])


@bp.app_template_filter("seat_state")
def seat_state(state: str) -> tuple[str, str]:
    """Where a place of a block stands: words, and the kind of badge."""
    words, kind = _SEATS[SeatState(state)]
    return str(words), kind


@bp.app_template_filter("payment_exception")
def payment_exception(exception: str) -> str:
    """Why a payment is flagged, in words."""
    return str(_EXCEPTIONS[PaymentException(exception)])


@bp.app_template_filter("gateway_label")
def gateway_label(name: str | None) -> str:
    """The name of a way to pay; also of one whose plugin is gone."""
    if name is None:
        return str(_("Voucher"))
    gateway = payment_gateways.get(name)
    return str(gateway.label) if gateway else name


def refund_rule() -> str:
    """What administrators wrote beside the refund policy; empty when they did not."""
    row = db.session.get(SiteSetting, "refund_rule")
    return in_language(row.value if row else None)


@bp.app_template_filter("failure_text")
def failure_text(code: str) -> str:
    """Why a payment was declined, as far as it helps the buyer."""
    known = {
        "insufficient_funds": _("The card does not have enough money on it."),
        "expired_card": _("The card has expired."),
        "authentication_required": _("Your bank did not confirm the payment."),
        "incorrect_cvc": _("The security code is not right."),
    }
    return str(known.get(code) or _("The bank did not accept the payment."))


@bp.app_template_filter("as_day")
def as_day(value: str) -> date:
    """A day as messages carry it, ISO 8601."""
    return date.fromisoformat(value)


@bp.app_template_filter("instant")
def instant(value: str | None, zone: str | None = None) -> str:
    """An instant as messages carry it, ISO 8601, in the reader's format and this zone."""
    return format_moment(datetime.fromisoformat(value), zone) if value else ""


bp.add_app_template_global(bank_account)
