"""What partners collect: where one pays them, who has to, confirmed, sent back."""

from __future__ import annotations

import uuid

import segno
from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from wtforms.validators import ValidationError

from lms.accounts.permissions import can, require, signed_in
from lms.accounts.step_up import require_second_factor
from lms.core.amounts import read_amount
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.files import UploadRefused, send_stored
from lms.core.pagination import paginate
from lms.core.text import in_language
from lms.core.web import page_number
from lms.ledger.kinds import ENTRY_KINDS, EntryKind
from lms.partners import queries
from lms.partners.collecting_forms import CollectedForm, CollectorForm, SentForm, no_reference
from lms.partners.collecting_models import CollectedOrder, Collector
from lms.partners.errors import CollectorExists
from lms.partners.services import collecting
from lms.partners.views import bp
from lms.payments.errors import ReferenceUsed, WrongTransferAmount
from lms.payments.models import Payment
from lms.payments.queries import find_order, get_refund

_COLLECTED = {
    EntryKind.PAYMENT: EntryKind.COLLECTED,
    EntryKind.REFUND: EntryKind.COLLECTED_BACK,
}


@bp.app_template_filter("statement_kind")
def statement_kind(kind: str) -> str:
    """What a statement's line tells: a buyer's payment there is what the partner collected."""
    return str(ENTRY_KINDS.get(_COLLECTED.get(EntryKind(kind), EntryKind(kind)), kind))


@bp.app_template_filter("qr_drawing")
def qr_drawing(text: str) -> Markup:
    """A QR code that holds a text."""
    drawn: str = segno.make(text, error="m", micro=False).svg_inline(
        border=4, scale=5, dark="#1d2b33", light="#ffffff"
    )
    return Markup(drawn)  # noqa: S704


@bp.app_template_global("collector_of_order")
def collector_of_order(order_uuid: str) -> Collector | None:
    """The partner that collects an order, for its mail."""
    order = find_order(uuid.UUID(order_uuid))
    return collecting.collector_of(order) if order is not None else None


def _offer(form: CollectorForm) -> None:
    form.offer([(str(one.id), in_language(one.name)) for one in queries.partners()])


def _page(form: CollectorForm, collector: Collector | None, status: int) -> ResponseReturnValue:
    page = render_template("partners/admin/collector.html", form=form, collector=collector)
    return page, status


@bp.get("/admin/partners/collections")
def admin_collectors() -> ResponseReturnValue:
    """Who collects what, and where."""
    require("partners.administer")
    return render_template(
        "partners/admin/collectors.html",
        page=paginate(collecting.list_collectors(), page_number(), 25),
    )


@bp.route("/admin/partners/collections/new", methods=["GET", "POST"])
def add_collector() -> ResponseReturnValue:
    """Let a partner collect."""
    require("partners.administer")
    form = CollectorForm()
    _offer(form)
    if not form.validate_on_submit():
        return _page(form, None, 422 if form.errors else 200)
    known = {str(one.id): one for one in queries.partners()}
    try:
        collecting.add_collector(
            known[str(form.partner.data)],
            str(form.currency.data),
            str(form.country.data),
            signed_in(),
            form.uploaded(),
            **form.values(),
        )
    except CollectorExists as refusal:
        form.partner.errors = [str(refusal.text)]
        return _page(form, None, 422)
    except UploadRefused as refusal:
        form.picture.errors = [str(refusal.text)]
        return _page(form, None, 422)
    flash(_("The partner collects now."), "success")
    return redirect(url_for(".admin_collectors"), 303)


@bp.route("/admin/partners/collections/<uuid:key>", methods=["GET", "POST"])
def change_collector(key: uuid.UUID) -> ResponseReturnValue:
    """Change where one pays a partner, or end it."""
    require("partners.administer")
    found = collecting.get_collector(key)
    form = CollectorForm(obj=found)
    form.for_change()
    if not form.validate_on_submit():
        return _page(form, found, 422 if form.errors else 200)
    try:
        collecting.change_collector(
            found, signed_in(), form.uploaded(), is_active=bool(form.is_active.data),
            **form.values(),
        )  # fmt: skip
    except UploadRefused as refusal:
        form.picture.errors = [str(refusal.text)]
        return _page(form, found, 422)
    flash(_("The change is kept."), "success")
    return redirect(url_for(".admin_collectors"), 303)


@bp.get("/partners/collections/qr/<uuid:key>")
def collector_qr(key: uuid.UUID) -> ResponseReturnValue:
    """The picture of the bank's QR code."""
    found = collecting.get_collector(key)
    require("partners.see_collector", found)
    if found.qr_file is None:
        raise NotFound
    return send_stored(found.qr_file)


def _collections(
    status: int = 200, form: CollectedForm | None = None, order: uuid.UUID | None = None
) -> ResponseReturnValue:
    user = None if can("partners.administer") else signed_in()
    page = render_template(
        "partners/collections.html",
        page=paginate(collecting.list_orders(user, is_open=True), page_number(), 25),
        paid=db.session.scalars(collecting.list_orders(user, is_open=False).limit(20)).all(),
        refunds=collecting.refunds_to_send(user),
        collectors=db.session.scalars(collecting.list_collectors(user)).all(),
        form=form or CollectedForm(formdata=None),
        form_order=order,
        sent=SentForm(formdata=None),
    )
    return page, status


@bp.get("/partners/collections")
def collections() -> ResponseReturnValue:
    """Who has to pay one's institution, what it collected, and what it has to send back."""
    require("partners.see_own")
    return _collections()


@bp.post("/partners/collections/<uuid:order_uuid>/confirm")
def confirm_collection(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """The money of an order came."""
    found = collecting.get_collected(order_uuid)
    require("partners.collect", found.collector)
    require_second_factor()  # others study, and the partner owes money, by what is said here
    form = CollectedForm()
    if not form.validate_on_submit():
        return _collections(422, form, order_uuid)
    try:
        amount = read_amount(form.amount.data or "", found.order.currency)
        collecting.confirm(found, amount, (form.reference.data or "").strip(), signed_in())
    except (ValidationError, WrongTransferAmount) as refusal:
        text = refusal.text if isinstance(refusal, WrongTransferAmount) else refusal
        form.amount.errors = [str(text)]
        return _collections(422, form, order_uuid)
    except ReferenceUsed as refusal:
        form.reference.errors = [str(refusal.text)]
        return _collections(409, form, order_uuid)
    flash(_("The payment of order %(number)s is recorded.", number=found.order.number), "success")
    return redirect(url_for(".collections"), 303)


@bp.post("/partners/collections/refunds/<int:refund_id>/sent")
def refund_sent(refund_id: int) -> ResponseReturnValue:
    """A refund was sent to the buyer."""
    refund = get_refund(refund_id)
    found = db.session.get(CollectedOrder, refund.order_id)
    paid_to = db.session.scalar(select(Payment.gateway).where(Payment.id == refund.payment_id))
    if found is None or paid_to != collecting.GATEWAY:
        raise NotFound
    require("partners.collect", found.collector)
    require_second_factor()
    form = SentForm()
    if not form.validate_on_submit():
        flash(no_reference(), "error")
        return redirect(url_for(".collections"), 303)
    collecting.send_back(refund, (form.reference.data or "").strip(), signed_in())
    flash(_("The refund is recorded."), "success")
    return redirect(url_for(".collections"), 303)
