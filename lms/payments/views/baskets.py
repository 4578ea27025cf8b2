"""The basket and what is paid at once."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.db import transaction
from lms.core.limits import limiter
from lms.core.text import current_language, in_language
from lms.core.web import own_transaction
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, RunFull
from lms.payments import queries
from lms.payments.errors import (
    BasketRefused,
    GatewayUnknown,
    OrderClosed,
    VoucherRefused,
)
from lms.payments.forms import ActionForm, BasketForm
from lms.payments.gateways.bank_transfer import bank_account
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Purchase
from lms.payments.services import baskets, purchases
from lms.payments.services import orders as order_services
from lms.payments.services.baskets import ShownBasket
from lms.payments.views import bp, shared
from lms.payments.views.payment_page import lead_to_page
from lms.pricing.errors import QuoteChanged


def _form() -> BasketForm:
    form = BasketForm()
    form.offer_countries()
    if request.method == "GET":
        form.country.data = signed_in().country or ""
    return form


def _show(form: BasketForm) -> ShownBasket:
    """The basket for what is typed; what cannot be used is an error of its field."""
    user, country = signed_in(), form.country.data or None
    code = "" if form.voucher.errors else form.voucher.data or ""
    try:
        shown = baskets.show_basket(user, country, form.currency.data or None, code)
    except VoucherRefused as refusal:
        form.voucher.errors = [str(refusal.text)]
        shown = baskets.show_basket(user, country, form.currency.data or None)
    usable = [
        gateway
        for gateway in payment_gateways.values()
        if gateway.takes_baskets and gateway.is_available(shown.currency or "")
    ]
    form.offer(shown.currencies, usable)
    form.currency.data = shown.currency
    return shown


def _page(form: BasketForm, status: int = 200, error: str = "") -> tuple[str, int]:
    shown = _show(form)
    form.quotes.data = shown.tickets(signed_in()) if shown.can_buy else ""
    chosen = payment_gateways.get(form.gateway.data or "")
    page = render_template(
        "payments/basket.html",
        form=form,
        shown=shown,
        gateways=form.gateways,
        button=chosen.button if chosen and len(form.gateways) == 1 else None,
        refund_rule=shared.refund_rule(),
        error=error,
        action=ActionForm(),
    )
    return page, 422 if form.errors and status == 200 else status


@bp.get("/basket")
def basket() -> ResponseReturnValue:
    """What is in the basket and what it costs."""
    require("payments.see_orders")
    return _page(_form())


@bp.post("/basket/runs/<uuid:run_uuid>")
def add_run(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Put a place in a run into the basket."""
    run = queries.get_run(run_uuid)
    require("payments.buy", run)
    enrolment = queries.find_enrolment(run.id, signed_in().id)
    if enrolment is not None and enrolment.may_study:
        raise AlreadyEnrolled
    baskets.add_run(signed_in(), run)
    flash(_("%(title)s is in your basket.", title=in_language(run.course.title)), "success")
    return redirect(url_for(".basket"), 303)


@bp.post("/basket/items/<product>/<uuid:item>")
def add_item(product: str, item: uuid.UUID) -> ResponseReturnValue:
    """Put something else into the basket."""
    require("payments.buy_item")
    baskets.add_item(signed_in(), product, item)
    flash(_("It is in your basket."), "success")
    return redirect(url_for(".basket"), 303)


@bp.post("/basket/lines/<int:line_id>/remove")
def remove_line(line_id: int) -> ResponseReturnValue:
    """Take a line out of the basket."""
    require("payments.see_orders")
    baskets.remove_line(signed_in(), line_id)
    return redirect(url_for(".basket"), 303)


@bp.post("/basket")
@own_transaction
@limiter.limit("30 per minute")
def order_basket() -> ResponseReturnValue:
    """Order all of it and open one payment page; or only show the prices for what was typed."""
    with transaction(write=False):
        require("payments.see_orders")
        form = _form()
        is_valid = form.validate_on_submit()
        is_valid = is_valid and ("apply" in request.form or not form.needs_province())
        if "apply" in request.form or not is_valid or not _show(form).can_buy or form.errors:
            return _page(form, 200 if is_valid else 422)
    try:
        with transaction():
            purchase = baskets.order_basket(
                signed_in(),
                form.gateway.data,
                form.quotes.data or "",
                country=form.country.data or None,
                currency=form.currency.data,
                voucher_code=form.voucher.data or "",
                language=current_language(),
                billing=form.billing(),
            )
            purchase_uuid = purchase.uuid
    except BasketRefused as refusal:
        with transaction(write=False):
            title, why = in_language(refusal.title), refusal.refusal
            return _page(form, why.status, f"{title}: {why.text}")
    except (QuoteChanged, VoucherRefused, GatewayUnknown) as refusal:
        with transaction(write=False):
            return _page(form, refusal.status, str(refusal.text))
    return _open_page(purchase_uuid)


def _open_page(purchase_uuid: uuid.UUID) -> ResponseReturnValue:
    """Send the buyer to the page on which all is paid."""
    back = redirect(url_for(".show_purchase", purchase_uuid=purchase_uuid), 303)
    with transaction(write=False):
        purchase = queries.get_purchase(purchase_uuid)
        if not purchase.is_open:
            return back
        if purchases.page_is_open(purchase) and purchase.gateway_url:
            return redirect(purchase.gateway_url, 303)
    return lead_to_page(
        payment_gateways[purchase.gateway or ""],
        purchase,
        lambda *page: purchases.keep_page(queries.get_purchase(purchase_uuid), *page),
        back,
        OrderClosed,
    )


def _own(purchase_uuid: uuid.UUID) -> Purchase:
    purchase = queries.get_purchase(purchase_uuid)
    require("payments.see_purchase", purchase)
    return purchase


def _values(purchase: Purchase) -> dict[str, Any]:
    came_back = request.args.get("back")
    is_settling = any(order.is_settling for order in purchase.orders)
    return {
        "purchase": purchase,
        "is_settling": is_settling,
        "is_waiting": purchase.is_open and came_back == "paid" and not is_settling,
        "account": bank_account() if purchase.gateway == "bank_transfer" else {},
        "failure": next((order.failure for order in purchase.orders if order.failure), None),
        "action": ActionForm(),
    }


@bp.get("/purchases/<uuid:purchase_uuid>")
def show_purchase(purchase_uuid: uuid.UUID) -> ResponseReturnValue:
    """What became of orders that are paid at once."""
    return render_template("payments/purchase.html", **_values(_own(purchase_uuid)))


@bp.get("/purchases/<uuid:purchase_uuid>/state")
def purchase_state(purchase_uuid: uuid.UUID) -> ResponseReturnValue:
    """The changing part of the page."""
    return render_template("payments/_purchase_state.html", **_values(_own(purchase_uuid)))


@bp.post("/purchases/<uuid:purchase_uuid>/check")
@limiter.limit("20 per minute")
def check_purchase(purchase_uuid: uuid.UUID) -> ResponseReturnValue:
    """Ask the payment service, in a job, because its message is late."""
    for order in _own(purchase_uuid).to_pay[:1]:
        order_services.ask_gateway(order)
    if request.headers.get("HX-Request"):
        return "", 204
    return redirect(url_for(".show_purchase", purchase_uuid=purchase_uuid, back="paid"), 303)


@bp.post("/purchases/<uuid:purchase_uuid>/pay")
@own_transaction
@limiter.limit("20 per minute")
def pay_purchase(purchase_uuid: uuid.UUID) -> ResponseReturnValue:
    """Try to pay again what is still kept."""
    return pay_again(purchase_uuid)


def pay_again(purchase_uuid: uuid.UUID) -> ResponseReturnValue:
    """Open the payment page of a purchase anew."""
    try:
        with transaction():
            purchases.pay_again(_own(purchase_uuid))
    except (OrderClosed, RunFull, EnrolmentClosed, AlreadyEnrolled) as refusal:
        flash(str(refusal.text), "error")
        return redirect(url_for(".show_purchase", purchase_uuid=purchase_uuid), 303)
    return _open_page(purchase_uuid)
