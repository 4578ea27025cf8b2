"""A buyer's orders: what became of them, trying again, receipts."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.limits import limiter
from lms.core.pagination import paginate
from lms.core.settings import settings
from lms.core.web import attachment, own_transaction, page_number, public
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, RunFull
from lms.courses.models import Enrolment
from lms.payments import queries
from lms.payments.documents import receipt_name, receipt_pdf
from lms.payments.errors import OrderClosed
from lms.payments.forms import ActionForm
from lms.payments.gateways.bank_transfer import bank_account
from lms.payments.gateways.base import PaymentGateway, payment_gateways
from lms.payments.models import Order, OrderState
from lms.payments.products import product_of
from lms.payments.queries.dues import dues_of, has_parts
from lms.payments.queries.seats import has_blocks
from lms.payments.services import leaving
from lms.payments.services import orders as services
from lms.payments.services.credits import balances_of
from lms.payments.services.order_invoices import issued_for
from lms.payments.services.refund_policy import Why
from lms.payments.services.terms import find_terms
from lms.payments.views import bp
from lms.payments.views.checkout import open_payment_page
from lms.payments.views.offers import offer_page
from lms.payments.views.own import own_order


def leave_values(order: Order, enrolment: Enrolment | None = None) -> dict[str, Any]:
    """What comes back to who leaves now; empty when there is nothing to leave."""
    if leaving.own_enrolment(order, enrolment) is None:
        return {}
    back = leaving.back_for(order)
    is_moved = back.why == Why.MOVED
    return {"back": back, "is_moved": is_moved, "terms": find_terms(order) if is_moved else None}


def part_gateways(order: Order) -> list[PaymentGateway]:
    """The ways in which the next part can be paid on a page of its own."""
    if order.state != OrderState.OWED or order.first_minor is None:
        return []
    usable = services.usable_gateways(order.currency, order.user)
    return [one for one in usable if not one.refunds_by_hand]


def _values(order: Order) -> dict[str, Any]:
    """What the page and its changing part show."""
    owes = order.state == OrderState.OWED
    came_back = request.args.get("back")
    gateway = payment_gateways.get(order.gateway or "")
    is_outside = gateway is not None and gateway.instructions is not None
    waits = order.is_open and not is_outside  # declined before, paid after, too
    enrolment = (
        queries.find_enrolment(order.place.id, order.user_id) if order.is_for_place else None
    )
    return {
        "order": order,
        "delivery": product_of(order).delivery(order),
        "enrolment": enrolment,
        "issued": issued_for(order),
        "returning": [refund for refund in order.refunds if refund.state != "failed"],
        "is_outside": is_outside,
        "is_waiting": waits and came_back == "paid" and not order.is_settling,
        "account": bank_account() if order.gateway == "bank_transfer" or owes else {},
        "parts": dues_of(order) if has_parts(order) else [],
        "part_gateways": part_gateways(order),
        "pause_after": settings().pause_after_days,
        "back": came_back,
        "form": ActionForm(),
        **leave_values(order, enrolment),
    }


@bp.get("/orders")
def my_orders() -> ResponseReturnValue:
    """All orders of the person, newest first."""
    require("payments.see_orders")
    page = paginate(queries.list_orders_of(signed_in()), page_number(), 20)
    return render_template(
        "payments/my_orders.html",
        page=page,
        has_blocks=has_blocks(signed_in()),
        credits=balances_of(signed_in()),
    )


@bp.get("/orders/<uuid:order_uuid>")
@public
def show_order(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """What became of an order, and what can be done now."""
    order = own_order(order_uuid)
    if order.state == OrderState.QUOTED:
        return offer_page(order)
    return render_template("payments/order.html", **_values(order))


@bp.get("/orders/<uuid:order_uuid>/state")
@public
def order_state(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """The changing part of an order's page."""
    return render_template("payments/_order_state.html", **_values(own_order(order_uuid)))


@bp.post("/orders/<uuid:order_uuid>/check")
@public
@limiter.limit("20 per minute")
def check_order(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Ask the payment service, in a job, because its message is late."""
    services.ask_gateway(own_order(order_uuid))
    if request.headers.get("HX-Request"):
        return "", 204
    return redirect(url_for(".show_order", order_uuid=order_uuid, back="paid"), 303)


@bp.post("/orders/<uuid:order_uuid>/pay")
@public
@own_transaction
@limiter.limit("20 per minute")
def pay_order(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Try to pay again, with the seat that is still held."""
    try:
        with transaction():
            order = own_order(order_uuid)
            if not order.is_open:
                raise OrderClosed
            purchase = order.purchase
            if purchase is not None:
                return redirect(url_for(".show_purchase", purchase_uuid=purchase.uuid), 303)
            order_uuid = services.pay_again(order).uuid
    except AlreadyEnrolled as refusal:
        flash(str(refusal.text), "info")
    except (OrderClosed, RunFull, EnrolmentClosed) as refusal:
        flash(str(refusal.text), "error")
    else:
        return open_payment_page(order_uuid)
    return redirect(url_for(".show_order", order_uuid=order_uuid), 303)


@bp.post("/orders/<uuid:order_uuid>/cancel")
@public
def cancel_order(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Give the order and its seat up."""
    order = own_order(order_uuid)
    services.cancel_order(order)
    if order.is_for_place:
        flash(_("The order is cancelled and your place is free for others."), "success")
    else:
        flash(_("The order is cancelled."), "success")
    return redirect(url_for(".show_order", order_uuid=order_uuid), 303)


@bp.get("/orders/<uuid:order_uuid>/receipt.pdf")
@public
def receipt(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """The receipt of one's own order."""
    return send_receipt(own_order(order_uuid))


def send_receipt(order: Order) -> Response:
    """Answer with the receipt. Raises NotFound when there is none."""
    if order.receipt is None:
        raise NotFound(_("There is no receipt for this order."))
    return attachment(receipt_pdf(order), receipt_name(order))
