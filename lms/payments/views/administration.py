"""Administrators: orders, transfers, refunds, what went wrong, settings."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from lms.accounts.permissions import require, signed_in
from lms.config import LANGUAGES
from lms.core import clock
from lms.core.amounts import read_amount
from lms.core.db import db
from lms.core.money import Money
from lms.core.pagination import paginate
from lms.core.settings import settings
from lms.core.site_settings import read, write
from lms.core.text import in_language
from lms.core.web import page_number
from lms.payments import queries
from lms.payments.errors import (
    CreditNeedsAccount,
    NothingToRefund,
    ReferenceUsed,
    WrongTransferAmount,
)
from lms.payments.forms import (
    ActionForm,
    RefundForm,
    SellerForm,
    SettleForm,
    TransferForm,
)
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Order, OrderState, RefundReason
from lms.payments.queries.cards import other_cards
from lms.payments.queries.dues import dues_of, has_parts, owed_of
from lms.payments.services import refunds as refund_services
from lms.payments.services.guests import GuestSales
from lms.payments.services.order_invoices import issued_for
from lms.payments.services.purchases import confirm_transfer
from lms.payments.services.selling import keep_selling_settings, selling_settings
from lms.payments.views import bp, shared
from lms.payments.views.orders import send_receipt


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _number(name: str) -> int | None:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def by_hand() -> list[str]:
    """Gateways whose refunds an administrator sends."""
    return [g.name for g in payment_gateways.values() if g.refunds_by_hand]


@bp.get("/admin/payments")
def admin_orders() -> ResponseReturnValue:
    """All orders, searched and filtered."""
    require("payments.administer")
    zone = str(get_timezone())
    first, last = _day("first"), _day("last")
    names = (
        "q",
        "state",
        "gateway",
        "currency",
        "course",
        "run",
        "country",
        "card",
        "first",
        "last",
    )
    chosen = {name: request.args.get(name, "") for name in names}
    statement = queries.list_orders(
        words=chosen["q"][:200],
        state=chosen["state"],
        gateway=chosen["gateway"],
        currency=chosen["currency"],
        country=chosen["country"],
        has_other_card=chosen["card"] == "other",
        course_id=_number("course"),
        run_id=_number("run"),
        since=clock.start_of_day(first, zone) if first else None,
        until=clock.end_of_day(last, zone) if last else None,
    )
    return render_template(
        "payments/admin/orders.html",
        page=paginate(statement, page_number(), 50),
        chosen=chosen,
        states=[(state.value, shared.STATES[state]) for state in OrderState],
        gateways=[(g.name, g.label) for g in payment_gateways.values()],
        currencies=[(code, code) for code in settings().currencies],
        courses=[(course.id, in_language(course.title)) for course in queries.courses_sold()],
    )


def _order_page(
    order: Order, status: int = 200, transfer: TransferForm | None = None
) -> ResponseReturnValue:
    gateway = payment_gateways.get(order.gateway or "")
    takes_transfer = order.state == OrderState.OWED or (
        gateway is not None
        and gateway.refunds_by_hand
        and order.state not in (*_SETTLED_STATES, OrderState.REFUNDED)
    )
    owed = owed_of(order) if order.state == OrderState.OWED else 0
    page = render_template(
        "payments/admin/order.html",
        order=order,
        enrolment=order.enrolment,
        timeline=queries.timeline(order),
        issued=issued_for(order),
        transfer=(transfer or TransferForm()) if takes_transfer else None,
        parts=dues_of(order) if has_parts(order) else [],
        owed=Money(owed, order.currency) if owed else None,
        refund=RefundForm(),
        settle=SettleForm(),
        can_refund=any(payment.remaining for payment in order.payments),
        by_hand=by_hand(),
        other_cards=other_cards(order),
    )
    return page, status


_SETTLED_STATES = (OrderState.PAID, OrderState.PARTIALLY_REFUNDED)


@bp.get("/admin/payments/orders/<uuid:order_uuid>")
def admin_order(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """One order with all that happened."""
    require("payments.administer")
    return _order_page(queries.get_order(order_uuid))


@bp.get("/admin/payments/orders/<uuid:order_uuid>/receipt.pdf")
def admin_receipt(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """The receipt of any order."""
    require("payments.administer")
    return send_receipt(queries.get_order(order_uuid))


@bp.post("/admin/payments/orders/<uuid:order_uuid>/transfer")
def admin_confirm_transfer(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Note that the money of a transfer came."""
    require("payments.administer")
    order = queries.get_order(order_uuid)
    form = TransferForm()
    if not form.validate_on_submit():
        return _order_page(order, 422, form)
    try:
        amount = read_amount(form.amount.data or "", order.currency)
        confirm_transfer(order, amount, (form.reference.data or "").strip(), signed_in())
    except (ValidationError, WrongTransferAmount) as refusal:
        text = refusal.text if isinstance(refusal, WrongTransferAmount) else refusal
        form.amount.errors = [str(text)]
        return _order_page(order, 422, form)
    except ReferenceUsed as refusal:
        form.reference.errors = [str(refusal.text)]
        return _order_page(order, 409, form)
    flash(_("The payment is recorded."), "success")
    return redirect(url_for(".admin_order", order_uuid=order_uuid), 303)


def _refund_page(order: Order, form: RefundForm, status: int = 200) -> ResponseReturnValue:
    left = [payment.remaining for payment in order.payments if payment.remaining]
    if not left:
        raise NothingToRefund
    page = render_template(
        "payments/admin/refund.html",
        order=order,
        left=left,
        form=form,
        is_by_hand=order.gateway in by_hand(),
    )
    return page, status


@bp.get("/admin/payments/orders/<uuid:order_uuid>/refund")
def admin_ask_refund(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Say what a refund does, and ask."""
    require("payments.administer")
    return _refund_page(queries.get_order(order_uuid), RefundForm())


@bp.post("/admin/payments/orders/<uuid:order_uuid>/refund")
def admin_refund(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Give back a part of what was paid for an order, or all of it."""
    require("payments.administer")
    order = queries.get_order(order_uuid)
    form = RefundForm()
    if not form.validate_on_submit():
        return _refund_page(order, form, 422)
    try:
        amount = form.chosen(order.currency)
        refund_services.refund_order(
            order,
            RefundReason.BY_ADMINISTRATOR,
            amount=amount,
            by=signed_in(),
            note=form.note.data or "",
            as_credit=bool(form.as_credit.data),
        )
    except CreditNeedsAccount as refusal:
        form.as_credit.errors = [str(refusal.text)]
        return _refund_page(order, form, refusal.status)
    except ValidationError as refusal:
        form.amount.errors = [str(refusal)]
        return _refund_page(order, form, 422)
    except NothingToRefund as refusal:
        if amount is None:
            raise
        form.amount.errors = [str(refusal.text)]
        return _refund_page(order, form, refusal.status)
    if form.as_credit.data:
        flash(_("The buyer has it as credit now, and is told by mail."), "success")
    elif order.gateway in by_hand():
        flash(_("Now send the money, and write the bank's reference here when it is done."), "info")
    else:
        flash(_("The refund is on its way. This page shows when it has arrived."), "success")
    return redirect(url_for(".admin_order", order_uuid=order_uuid), 303)


@bp.post("/admin/payments/refunds/<int:refund_id>/credit")
def admin_refund_as_credit(refund_id: int) -> ResponseReturnValue:
    """Keep for the buyer as credit what an administrator was to send."""
    require("payments.administer")
    refund = queries.get_refund(refund_id)
    if refund.payment.gateway not in by_hand() or not ActionForm().validate_on_submit():
        raise NothingToRefund
    refund_services.settle_as_credit(refund, signed_in())
    flash(_("The buyer has it as credit now, and is told by mail."), "success")
    return redirect(url_for(".admin_order", order_uuid=refund.order.uuid), 303)


@bp.post("/admin/payments/refunds/<int:refund_id>/done")
def admin_settle_refund(refund_id: int) -> ResponseReturnValue:
    """Note that an administrator sent the money back."""
    require("payments.administer")
    refund = queries.get_refund(refund_id)
    form = SettleForm()
    target = url_for(".admin_order", order_uuid=refund.order.uuid)
    if refund.payment.gateway not in by_hand():
        raise NothingToRefund
    if not form.validate_on_submit():
        flash(_("Write the bank's reference."), "error")
        return redirect(target, 303)
    refund_services.settle_by_hand(refund, (form.reference.data or "").strip(), signed_in())
    flash(_("The refund is recorded."), "success")
    return redirect(target, 303)


@bp.get("/admin/payments/exceptions")
def admin_exceptions() -> ResponseReturnValue:
    """What must not be, and what waits for an administrator."""
    require("payments.administer")
    lists: dict[str, Any] = {
        "paid_not_enrolled": queries.paid_not_enrolled(),
        "enrolled_not_paid": queries.enrolled_not_paid(),
        "amount_differs": queries.amount_differs(),
        "failed_refunds": queries.failed_refunds(),
        "refunds_by_hand": queries.refunds_by_hand(by_hand()),
    }
    found = {
        name: db.session.scalars(statement.limit(200)).all() for name, statement in lists.items()
    }
    return render_template("payments/admin/exceptions.html", **found)


@bp.route("/admin/payments/settings", methods=["GET", "POST"])
def admin_settings() -> ResponseReturnValue:
    """Seller, bank account and refund rule."""
    require("payments.administer")
    kept = selling_settings()
    groups = {"seller": "seller", "bank": "bank_account", "rule": "refund_rule"}
    known = {
        f"{prefix}_{key}": text
        for prefix, name in groups.items()
        for key, text in kept[name].items()
    }
    form = SellerForm(data=known | {"guests_open": read(GuestSales).is_open})
    if form.validate_on_submit():
        values: dict[str, dict[str, str]] = {name: {} for name in groups.values()}
        for field in form:
            prefix, _sign, key = field.name.partition("_")
            if prefix in groups:
                values[groups[prefix]][key] = (field.data or "").strip()
        keep_selling_settings(values, signed_in())
        write(GuestSales(is_open=form.guests_open.data), signed_in().id)
        flash(_("The settings are kept."), "success")
        return redirect(url_for(".admin_settings"), 303)
    page = render_template(
        "payments/admin/settings.html",
        form=form,
        rules=[form[f"rule_{code}"] for code in LANGUAGES],
    )
    return page, 422 if form.errors else 200
