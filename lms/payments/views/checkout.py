"""The checkout: what is bought, for how much, and how it is paid."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.db import db, transaction
from lms.core.limits import limiter
from lms.core.text import current_language, in_language
from lms.core.web import own_transaction
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, RunFull
from lms.courses.models import CourseRun
from lms.payments import queries
from lms.payments.errors import GatewayUnavailable, GatewayUnknown, OrderClosed, VoucherRefused
from lms.payments.forms import CheckoutForm
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import OrderState, Voucher
from lms.payments.services import orders as services
from lms.payments.services.vouchers import usable_voucher
from lms.payments.views import bp, shared


def _form(run: CourseRun) -> CheckoutForm:
    form = CheckoutForm()
    user = signed_in()
    if request.method == "GET":
        before = queries.find_open_order(run, user)
        form.country.data = user.country or ""
        if before is not None:
            form.gateway.data = before.gateway
            form.voucher.data = before.voucher.code if before.voucher else ""
    form.offer([g for g in payment_gateways.values() if g.is_available(run.price.currency)])
    return form


def _voucher(form: CheckoutForm, run: CourseRun) -> Voucher | None:
    """The typed voucher; one that cannot be used is an error of its field."""
    code = (form.voucher.data or "").strip()
    if not code:
        return None
    try:
        return usable_voucher(code, run, queries.find_open_order(run, signed_in()))
    except VoucherRefused as refusal:
        form.voucher.errors = [*form.voucher.errors, str(refusal.text)]
        return None


def _page(
    run: CourseRun, form: CheckoutForm, status: int = 200, error: str = ""
) -> tuple[str, int]:
    voucher = None if form.voucher.errors else _voucher(form, run)
    discount, total = services.price_with(run, voucher)
    chosen = payment_gateways.get(form.gateway.data or "")
    page = render_template(
        "payments/checkout.html",
        run=run,
        course=run.course,
        form=form,
        voucher=voucher,
        discount=discount,
        total=total,
        gateways=form.gateways,
        button=chosen.button if chosen and len(form.gateways) == 1 else None,
        before=queries.find_open_order(run, signed_in()),
        refund_rule=shared.refund_rule(),
        error=error,
        is_full=status == RunFull.status and error == str(RunFull.message),
    )
    return page, 422 if form.voucher.errors and status == 200 else status


@bp.get("/checkout/<uuid:run_uuid>")
def checkout(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Show what is bought, and ask for voucher, country and way to pay."""
    run = queries.get_run(run_uuid)
    require("payments.buy", run)
    if not run.price:
        return redirect(url_for("courses.enrol", run_id=run.id))
    enrolment = queries.find_enrolment(run.id, signed_in().id)
    if enrolment is not None and enrolment.may_study:
        flash(_("You are already enrolled in this course run."), "info")
        return redirect(url_for("courses.study_home", run_id=run.id))
    return _page(run, _form(run))


@bp.post("/checkout/<uuid:run_uuid>")
@own_transaction
@limiter.limit("30 per minute")
def place_order(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Hold a seat and open the payment page; or only apply the voucher.

    The gateway is called between two short transactions, so that nobody waits for it.
    """
    with transaction(write=False):
        run = queries.get_run(run_uuid)
        require("payments.buy", run)
        form = _form(run)
        is_valid = form.validate_on_submit()
        if "apply" in request.form or not is_valid:
            return _page(run, form, 200 if is_valid else 422)
    try:
        with transaction():
            run = queries.get_run(run_uuid)
            order = services.place_order(
                run,
                signed_in(),
                form.gateway.data,
                voucher_code=form.voucher.data or "",
                country=form.country.data or None,
                language=current_language(),
            )
            order_uuid = order.uuid
    except VoucherRefused as refusal:
        form.voucher.errors = [str(refusal.text)]
        with transaction(write=False):
            return _page(queries.get_run(run_uuid), form, 422)
    except AlreadyEnrolled as refusal:
        flash(str(refusal.text), "info")
        with transaction(write=False):
            run_id = queries.get_run(run_uuid).id
        return redirect(url_for("courses.study_home", run_id=run_id), 303)
    except (RunFull, EnrolmentClosed, GatewayUnknown) as refusal:
        with transaction(write=False):
            text = str(refusal.text)
            return _page(queries.get_run(run_uuid), form, refusal.status, text)
    return open_payment_page(order_uuid)


def open_payment_page(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Send the buyer to the page on which the order is paid."""
    order_page = redirect(url_for("payments.show_order", order_uuid=order_uuid), 303)
    with transaction(write=False):
        order = queries.get_order(order_uuid)
        if order.state == OrderState.PAID:
            title = in_language(order.run.course.title)
            flash(_("Welcome. You are enrolled in %(title)s.", title=title), "success")
            return order_page
        if services.page_is_open(order) and order.gateway_url:
            return redirect(order.gateway_url, 303)
    gateway, attempt = payment_gateways[order.gateway or ""], order.attempt
    try:
        started = gateway.start(order)
    except GatewayUnavailable as refusal:
        db.session.rollback()
        flash(str(refusal.text), "error")
        return order_page
    db.session.rollback()
    try:
        with transaction():
            services.keep_page(queries.get_order(order_uuid), started, attempt)
    except OrderClosed:
        return order_page
    return redirect(started.address, 303)
