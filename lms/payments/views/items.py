"""The checkout of what is no place in a run: one thing, at one price."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.limits import limiter
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.text import current_language
from lms.core.web import own_transaction
from lms.courses.errors import EnrolmentClosed, RunFull
from lms.payments import queries
from lms.payments.errors import GatewayUnknown, NotOffered
from lms.payments.forms import ItemForm
from lms.payments.gateways.base import payment_gateways
from lms.payments.products import Item, products
from lms.payments.services import orders as services
from lms.payments.services.offers import make_offer
from lms.payments.services.on_account import agree
from lms.payments.services.terms import find_terms
from lms.payments.views import bp
from lms.payments.views.checkout import open_payment_page
from lms.pricing.errors import PaymentRefused, QuoteChanged
from lms.pricing.queries import refuses_payment
from lms.pricing.services.quotes import make_ticket

REFUSALS = (
    GatewayUnknown,
    NotOffered,
    QuoteChanged,
    PaymentRefused,
    RunFull,
    EnrolmentClosed,
)


def _form() -> ItemForm:
    form = ItemForm()
    form.offer_countries()
    return form


def _find(product: str, key: uuid.UUID, form: ItemForm) -> Item:
    """What is offered to the present person, with the form's choices filled in."""
    require("payments.buy_item")
    found = products.get(product)
    if found is None:
        raise NotFound
    user = signed_in()
    if request.method == "GET":
        before = queries.find_open_item(product, key, user)
        known = before.country if before else found.country_for(key, user)
        form.country.data = known or user.country or ""
        if before is not None:
            form.currency.data, form.gateway.data = before.currency, before.gateway
            form.show_billing(find_terms(before))
    item = found.find(key, user, form.country.data or None)
    if request.method == "GET" and before is None and item.organisation:
        form.organisation.data = item.organisation
    currency = form.currency.data
    if currency not in item.prices:
        currency = next(iter(item.prices), "")  # none where the price is on request
    country = form.country.data or None
    form.offer(list(item.prices), services.usable_gateways(currency, user, item.run, country))
    form.currency.data = currency
    return item


def _page(item: Item, form: ItemForm, status: int = 200, error: str = "") -> tuple[str, int]:
    total = item.prices.get(form.currency.data)
    form.shown.data = f"{total.minor} {total.currency}" if total is not None else ""
    calculation = item.calculations.get(form.currency.data)
    form.quote.data = str(make_ticket(calculation, signed_in())) if calculation else ""
    chosen = payment_gateways.get(form.gateway.data or "")
    page = render_template(
        "payments/buy.html",
        item=item,
        product=products[item.product],
        form=form,
        total=total,
        calculation=calculation,
        terms=item.terms,
        run=item.run,
        gateways=form.gateways,
        button=chosen.button if chosen and len(form.gateways) == 1 else None,
        before=queries.find_open_item(item.product, item.key, signed_in()),
        is_refused=bool(total) and refuses_payment(form.country.data or None),
        offer_days=settings().offer_days,
        error=error,
    )
    return page, status


def _offer(product: str, item: uuid.UUID, form: ItemForm, shown: Money) -> ResponseReturnValue:
    with transaction():
        offer = make_offer(
            _find(product, item, form),
            signed_in(),
            shown,
            country=form.country.data or None,
            language=current_language(),
            billing=form.billing(),
            ticket=form.quote.data or "",
        )
        address = url_for(".show_order", order_uuid=offer.uuid)
    flash(_("This is your offer. We have sent it to you by mail, too."), "success")
    return redirect(address, 303)


@bp.get("/buy/<product>/<uuid:item>")
def buy(product: str, item: uuid.UUID) -> ResponseReturnValue:
    """Show what is bought and for how much; ask for country and way to pay."""
    settled = queries.find_settled_item(product, item)
    if settled is not None and settled.user_id == signed_in().id:
        flash(_("This is paid already."), "info")
        return redirect(url_for(".show_order", order_uuid=settled.uuid))
    form = _form()
    return _page(_find(product, item, form), form)


@bp.post("/buy/<product>/<uuid:item>")
@own_transaction
@limiter.limit("30 per minute")
def order_item(product: str, item: uuid.UUID) -> ResponseReturnValue:
    """Make the order and open the payment page; or only show the price for what was typed."""
    with transaction(write=False):
        form = _form()
        offered = _find(product, item, form)
        is_valid, wants_offer = form.validate_on_submit(), "offer" in request.form
        needs = form.needs_province()
        if wants_offer:
            needs = form.needs_organisation() or needs
        else:
            needs = form.needs_purchase_order(form.is_on_account()) or needs
        is_valid = is_valid and ("apply" in request.form or not needs)
        if "apply" in request.form or not is_valid:
            return _page(offered, form, 200 if is_valid else 422)
        shown = form.shown_price()
    try:
        if wants_offer:
            return _offer(product, item, form, shown)
        with transaction():
            order = services.order_item(
                _find(product, item, form),
                signed_in(),
                form.gateway.data,
                shown,
                country=form.country.data or None,
                language=current_language(),
                billing=form.billing(),
                ticket=form.quote.data or "",
            )
            order_uuid = agree(order).uuid
    except REFUSALS as refusal:
        with transaction(write=False):
            text = str(refusal.text)
            return _page(_find(product, item, form), form, refusal.status, text)
    return open_payment_page(order_uuid)
