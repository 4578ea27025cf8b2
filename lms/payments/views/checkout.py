"""The checkout: what is bought, for how much, and how it is paid."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from lms.accounts.permissions import can, present_user, require, signed_in
from lms.core.amounts import amount_text
from lms.core.db import transaction
from lms.core.limits import limiter
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.templating import format_money
from lms.core.text import current_language, in_language
from lms.core.web import own_transaction, public
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, RunFull
from lms.courses.models import CourseRun
from lms.payments import queries
from lms.payments.errors import (
    CreditGone,
    GatewayUnknown,
    OrderClosed,
    VoucherRefused,
)
from lms.payments.forms import CheckoutForm
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Order
from lms.payments.services import credits, guests
from lms.payments.services import orders as services
from lms.payments.services.dues import Part
from lms.payments.services.on_account import agree
from lms.payments.services.parts import schedule_for
from lms.payments.services.payments import pay_by_credit
from lms.payments.services.prices import ShownTotal, Wishes, show_price, terms_for
from lms.payments.services.selling import selling_settings
from lms.payments.services.terms import find_terms
from lms.payments.views import bp, shared
from lms.payments.views.payment_page import lead_to_page
from lms.pricing import queries as pricing
from lms.pricing.errors import AmountTooLow, PaymentRefused, PriceOnRequest, QuoteChanged
from lms.pricing.services.quotes import Calculation, Terms, calculate, make_ticket
from lms.scholarships.errors import AwardGone
from lms.scholarships.models import Application
from lms.scholarships.queries import standing

REFUSALS = (
    RunFull,
    EnrolmentClosed,
    GatewayUnknown,
    QuoteChanged,
    PriceOnRequest,
    PaymentRefused,
    AwardGone,
    CreditGone,
)


@dataclass
class Checkout:
    """The form with the price that it leads to. shown is None while something typed is wrong."""

    run: CourseRun
    form: CheckoutForm
    before: Order | None
    terms: Terms
    shown: ShownTotal | None
    award: Application | None  # that can be used, be it at a price in another currency
    has_funds: bool  # whether one can apply to any fund
    usable: Money | None = None  # what the buyer's credit can pay of it

    @property
    def credit(self) -> Money | None:
        """The part that credit pays, None for nothing."""
        return self.usable if self.usable and self.form.use_credit.data else None

    def wishes(self) -> Wishes:
        """What the buyer says."""
        form = self.form
        return Wishes(
            country=form.country.data or None,
            currency=self.terms.currency,
            chosen=form.chosen(self.terms.currency) if self.terms.choice else None,
            voucher_code=form.voucher.data or "",
        )


def _parts(run: CourseRun, calculation: Calculation | None, credit: Money | None) -> list[Part]:
    """The parts in which a signed-in buyer may pay; empty where it is all at once.

    Who pays with credit pays the rest at once.
    """
    if calculation is None or not calculation.total or present_user() is None or credit:
        return []
    return schedule_for(run, calculation.total)


def _is_missing(form: CheckoutForm) -> bool:
    """Whether the invoice needs something that was not said."""
    needs = [form.needs_province(), form.needs_purchase_order(form.is_on_account())]
    return any(needs)


def _form(run: CourseRun) -> CheckoutForm:
    form = CheckoutForm()
    form.offer_countries()
    if request.method == "GET":
        user = signed_in()
        before = queries.find_open_order(run, user)
        form.country.data = (before.country if before else None) or user.country or ""
        form.use_credit.data = True
        form.currency.data = before.currency if before else None
        if before is not None:
            form.gateway.data = before.gateway
            form.voucher.data = before.voucher.code if before.voucher else ""
            form.in_parts.data = before.first_minor is not None
            form.show_billing(find_terms(before))
    return form


def check_out(run: CourseRun, form: CheckoutForm) -> Checkout:
    """The price for what is typed; what cannot be used is an error of its field."""
    user = present_user()
    before = queries.find_open_order(run, user) if user else None
    country = None if form.country.errors else form.country.data or None
    award, has_funds = standing(user, run) if user else (None, False)
    terms = terms_for(run, user, country, form.currency.data or None, award)
    usable = [
        one
        for one in services.usable_gateways(terms.currency or "", user, run, country)
        if user or guests.may_use(one)
    ]
    form.offer(terms.currencies, usable)
    form.currency.data = terms.currency
    asked = Checkout(run, form, before, terms, None, award, has_funds)
    if form.voucher.errors or form.amount.errors:
        return asked
    try:
        asked.shown = show_price(run, user, asked.wishes(), before, terms, award)
    except VoucherRefused as refusal:
        form.voucher.errors = [str(refusal.text)]
    except ValidationError as refusal:
        form.amount.errors = [str(refusal)]
    except AmountTooLow as refusal:
        least = format_money(refusal.minimum)
        form.amount.errors = [_("The least that this course takes is %(amount)s.", amount=least)]
    if user and asked.shown and asked.shown.calculation:
        asked.usable = credits.usable(user, asked.shown.calculation.total, before)
        if asked.credit:  # what is left is paid in ways that take any amount
            form.offer(terms.currencies, [one for one in usable if one.takes_baskets])
    return asked


def checkout_page(
    run: CourseRun, form: CheckoutForm, status: int = 200, error: str = ""
) -> tuple[str, int]:
    """The page with the price for what is typed; of a stranger with name and address."""
    asked = check_out(run, form)
    calculation = asked.shown.calculation if asked.shown else None
    if calculation is None and asked.terms.currency is not None:
        calculation = calculate(asked.terms)  # the price without what cannot be used
    chosen = payment_gateways.get(form.gateway.data or "")
    if calculation is not None:
        form.quote.data = str(make_ticket(calculation, present_user()))
        if asked.terms.choice and not form.amount.data and calculation.priced.suggested:
            form.amount.data = amount_text(calculation.priced.suggested)
    form.credit.data = str(asked.credit.minor) if asked.credit else ""
    has_errors = bool(form.voucher.errors or form.amount.errors)
    page = render_template(
        "payments/checkout.html",
        run=run,
        course=run.course,
        form=form,
        is_guest=present_user() is None,
        terms=asked.terms,
        calculation=calculation,
        total=calculation.total if calculation else None,
        can_pay=calculation is not None and not (calculation.total and asked.terms.refuses_payment),
        **_refusal(asked.terms),
        gateways=form.gateways,
        button=chosen.button if chosen and len(form.gateways) == 1 else None,
        before=asked.before,
        usable=asked.usable,
        credit=asked.credit,
        award=asked.award,
        may_apply=asked.has_funds and can("scholarships.apply", run),
        refund_rule=shared.refund_rule(),
        parts=_parts(run, calculation, asked.credit),
        pause_after=settings().pause_after_days,
        error=error,
        is_full=status == RunFull.status and error == str(RunFull.message),
    )
    return page, 422 if has_errors and status == 200 else status


def _refusal(terms: Terms) -> dict[str, Any]:
    """Why no payment is taken from a country, and whom to write to."""
    country = terms.assessment.country
    if not terms.refuses_payment or country is None:
        return {}
    exception = pricing.tiers_of([country])[country].exception
    return {"exception": exception, "seller": selling_settings()["seller"]}


@bp.get("/checkout/<uuid:run_uuid>")
@public
def checkout(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Show what is bought and for how much; ask for voucher, country and way to pay."""
    run = queries.get_run(run_uuid)
    require("payments.buy", run)
    if not run.price:
        return redirect(url_for("courses.enrol", run_id=run.id))
    if present_user() is None:
        return redirect(url_for(".guest_checkout", run_uuid=run_uuid))
    enrolment = queries.find_enrolment(run.id, signed_in().id)
    if enrolment is not None and enrolment.has_place:
        flash(_("You are already enrolled in this course run."), "info")
        return redirect(url_for("courses.study_home", run_id=run.id))
    return checkout_page(run, _form(run))


@bp.post("/checkout/<uuid:run_uuid>")
@own_transaction
@limiter.limit("30 per minute")
def place_order(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Hold a seat and open the payment page; or only show the price for what was typed.

    The gateway is called between two short transactions, so that nobody waits for it.
    """
    with transaction(write=False):
        run = queries.get_run(run_uuid)
        require("payments.buy", run)
        form = _form(run)
        is_valid = form.validate_on_submit()
        is_valid = is_valid and ("apply" in request.form or not _is_missing(form))
        if "apply" in request.form or not is_valid or check_out(run, form).shown is None:
            return checkout_page(run, form, 200 if is_valid else 422)
    try:
        with transaction():
            run = queries.get_run(run_uuid)
            asked = check_out(run, form)
            wishes, credit = asked.wishes(), asked.credit
            if (str(credit.minor) if credit else "") != (form.credit.data or ""):
                raise QuoteChanged
            order = services.place_order(
                run,
                signed_in(),
                form.gateway.data,
                voucher_code=wishes.voucher_code,
                country=wishes.country,
                language=current_language(),
                currency=wishes.currency,
                chosen=wishes.chosen,
                ticket=form.quote.data or "",
                billing=form.billing(),
                credit=credit,
            )
            if credit:
                pay_by_credit(order)
            order_uuid = agree(order, in_parts=form.in_parts.data).uuid
    except VoucherRefused as refusal:
        form.voucher.errors = [str(refusal.text)]
        with transaction(write=False):
            return checkout_page(queries.get_run(run_uuid), form, 422)
    except AlreadyEnrolled as refusal:
        flash(str(refusal.text), "info")
        with transaction(write=False):
            run_id = queries.get_run(run_uuid).id
        return redirect(url_for("courses.study_home", run_id=run_id), 303)
    except REFUSALS as refusal:
        with transaction(write=False):
            text = str(refusal.text)
            return checkout_page(queries.get_run(run_uuid), form, refusal.status, text)
    return open_payment_page(order_uuid)


def open_payment_page(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Send the buyer to the page on which the order is paid."""
    order_page = redirect(url_for("payments.show_order", order_uuid=order_uuid), 303)
    with transaction(write=False):
        order = queries.get_order(order_uuid)
        if order.is_delivered:
            title = in_language(order.title)
            if order.is_for_place:
                flash(_("Welcome. You are enrolled in %(title)s.", title=title), "success")
            return order_page
        if services.page_is_open(order) and order.gateway_url:
            return redirect(order.gateway_url, 303)
    return lead_to_page(
        payment_gateways[order.gateway or ""],
        order,
        lambda *page: services.keep_page(queries.get_order(order_uuid), *page),
        order_page,
        OrderClosed,
    )
