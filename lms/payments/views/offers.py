"""Offers: looked at, downloaded, accepted, given up."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.core import clock
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.limits import limiter
from lms.core.money import Money
from lms.core.web import attachment, own_transaction
from lms.payments.documents import offer_pdf as paper
from lms.payments.errors import GatewayUnknown, OfferGone, OfferOver, OrderClosed
from lms.payments.forms import OfferForm
from lms.payments.models import Order
from lms.payments.queries.offers import find_offer
from lms.payments.services import offers as services
from lms.payments.services.on_account import agree
from lms.payments.services.order_invoices import expected_taxes
from lms.payments.services.orders import usable_gateways
from lms.payments.services.terms import find_terms
from lms.payments.views import bp
from lms.payments.views.checkout import open_payment_page
from lms.payments.views.own import own_order
from lms.pricing.errors import PaymentRefused


def offer_page(
    order: Order, form: OfferForm | None = None, status: int = 200, error: str = ""
) -> tuple[str, int]:
    """The page of an order that is an offer. Raises NotFound where it never was one."""
    offer = find_offer(order)
    if offer is None:
        raise NotFound
    form = form or OfferForm()
    gateways = usable_gateways(order.currency, order.user, order.run, order.country)
    form.offer(gateways)
    page = render_template(
        "payments/offer.html",
        order=order,
        terms=find_terms(order),
        form=form,
        gateways=gateways,
        last_day=offer.last_day,
        is_over=offer.valid_until <= clock.now(),
        one=Money(order.total_minor // order.quantity, order.currency),
        taxes=expected_taxes(order),
        error=error,
    )
    return page, status


@bp.get("/orders/<uuid:order_uuid>/offer.pdf")
def offer_pdf(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """The offer on paper."""
    order = own_order(order_uuid)
    if find_offer(order) is None:
        raise NotFound
    return attachment(paper(order), f"{order.number}.pdf")


@bp.post("/orders/<uuid:order_uuid>/accept")
@own_transaction
@limiter.limit("20 per minute")
def accept_offer(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Order what is offered, at its price, and go on to pay it."""
    form = OfferForm()
    with transaction(write=False):
        order = own_order(order_uuid)
        if not form.validate_on_submit() or form.needs_purchase_order():
            return offer_page(order, form, 422)
    try:
        with transaction():
            order = services.accept_offer(
                own_order(order_uuid),
                form.gateway.data,
                (form.purchase_order.data or "").strip(),
            )
            agree(order)
    except OrderClosed as refusal:
        flash(str(refusal.text), "error")
        return redirect(url_for("payments.show_order", order_uuid=order_uuid), 303)
    except (OfferOver, OfferGone, GatewayUnknown, PaymentRefused) as refusal:
        with transaction(write=False):
            return offer_page(own_order(order_uuid), form, refusal.status, str(refusal.text))
    return open_payment_page(order_uuid)


@bp.post("/orders/<uuid:order_uuid>/withdraw")
def withdraw_offer(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Give an offer up."""
    services.withdraw_offer(own_order(order_uuid))
    flash(_("The offer is given up."), "success")
    return redirect(url_for("payments.my_orders"), 303)
