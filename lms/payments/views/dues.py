"""Parts that are due: a buyer pays one, administrators follow them and approve who has time."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from lms.accounts.permissions import can, require, signed_in
from lms.core.choices import choices
from lms.core.db import db, transaction
from lms.core.errors import NotFound
from lms.core.limits import limiter
from lms.core.money import Money
from lms.core.pagination import paginate
from lms.core.settings import settings
from lms.core.text import in_language
from lms.core.web import own_transaction, page_number
from lms.courses.models import CourseRun, Enrolment
from lms.directory.models import Organisation
from lms.payments import queries as order_queries
from lms.payments.due_models import InvoiceApproval
from lms.payments.errors import GatewayUnknown, NothingOwed, PlanRefused
from lms.payments.forms import ApprovalForm, PartDueForm, PlanForm, WriteOffForm
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import OrderState
from lms.payments.queries import dues as queries
from lms.payments.queries.seats import find_seat
from lms.payments.services import dues as services
from lms.payments.services import on_account, parts
from lms.payments.services.seats import giver_of
from lms.payments.views import bp
from lms.payments.views.own import own_order
from lms.payments.views.payment_page import lead_to_page


@bp.post("/orders/<uuid:order_uuid>/parts/<uuid:due_uuid>/pay")
@own_transaction
@limiter.limit("20 per minute")
def pay_part(order_uuid: uuid.UUID, due_uuid: uuid.UUID) -> ResponseReturnValue:
    """Open the payment page of one part of an order."""
    order_page = redirect(url_for(".show_order", order_uuid=order_uuid), 303)
    try:
        with transaction():
            order = own_order(order_uuid)
            due = queries.get_due(due_uuid)
            if due.order_id != order.id:
                raise NotFound
            form = PartDueForm()
            if not form.validate_on_submit():
                raise GatewayUnknown
            due = parts.prepare_page(due, form.gateway.data or "")
            if parts.page_is_open(due) and due.gateway_url:
                return redirect(due.gateway_url, 303)
    except (NothingOwed, GatewayUnknown) as refusal:
        flash(str(refusal.text), "error")
        return order_page
    with transaction(write=False):
        due = queries.get_due(due_uuid)
    return lead_to_page(
        payment_gateways[due.gateway or ""],
        due,
        lambda *page: parts.keep_page(queries.get_due(due_uuid), *page),
        order_page,
        NothingOwed,
    )


def paused_link(enrolment: Enrolment, **values: object) -> Markup | None:
    """The way from a paused course to what opens it again."""
    order = queries.find_owed_order(enrolment)
    seat = find_seat(enrolment) if order is None else None
    if order is None and seat is None:
        return None
    giver = giver_of(seat.block) if seat else None
    page = render_template("payments/_paused.html", order=order, giver=giver)
    return Markup(page)  # noqa: S704 - a template's


@bp.get("/admin/payments/owed")
def admin_owed() -> ResponseReturnValue:
    """What is still to be paid of what was delivered, the latest first."""
    require("payments.administer")
    chosen = {"q": request.args.get("q", "")[:200], "late": request.args.get("late", "")}
    statement = queries.list_owed(late_only=bool(chosen["late"]), words=chosen["q"])
    return render_template(
        "payments/admin/owed.html",
        page=paginate(statement, page_number(), 50),
        chosen=chosen,
        today=queries.today(),
        pause_after=settings().pause_after_days,
    )


@bp.route("/admin/payments/orders/<uuid:order_uuid>/write-off", methods=["GET", "POST"])
def admin_write_off(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Say what writing off does, and ask why."""
    require("payments.administer")
    order = order_queries.get_order(order_uuid)
    if order.state != OrderState.OWED or not queries.owed_of(order):
        raise NothingOwed
    form = WriteOffForm()
    if form.validate_on_submit():
        services.write_off(order, (form.reason.data or "").strip(), signed_in())
        flash(_("It is written off, and access is closed until it is paid."), "success")
        return redirect(url_for(".admin_order", order_uuid=order_uuid), 303)
    page = render_template(
        "payments/admin/write_off.html",
        order=order,
        form=form,
        owed=Money(queries.owed_of(order), order.currency),
    )
    return page, 422 if form.errors else 200


@bp.route("/admin/payments/invoices", methods=["GET", "POST"])
def admin_approvals() -> ResponseReturnValue:
    """Organisations that may buy on invoice."""
    require("payments.administer")
    form = ApprovalForm()
    form.organisation.choices = choices(
        [
            ("", _("Choose an organisation")),
            *((str(one.id), in_language(one.name)) for one in queries.organisations_to_approve()),
        ]
    )
    if form.validate_on_submit():
        organisation = db.session.get_one(Organisation, int(form.organisation.data))
        on_account.approve(organisation, (form.note.data or "").strip(), signed_in())
        flash(_("Its managers may buy on invoice now."), "success")
        return redirect(url_for(".admin_approvals"), 303)
    page = render_template(
        "payments/admin/approvals.html",
        page=paginate(queries.list_approvals(), page_number(), 50),
        form=form,
        days=settings().invoice_days,
    )
    return page, 422 if form.errors else 200


@bp.post("/admin/payments/invoices/<int:approval_id>/end")
def admin_end_approval(approval_id: int) -> ResponseReturnValue:
    """Let an organisation order nothing more on invoice."""
    require("payments.administer")
    row = db.session.get(InvoiceApproval, approval_id)
    if row is None:
        raise NotFound
    on_account.end_approval(row, signed_in())
    flash(_("It may order nothing more on invoice. What it owes stays owed."), "success")
    return redirect(url_for(".admin_approvals"), 303)


def run_link(run: CourseRun, **values: object) -> Markup | None:
    """The way from a run's settings to the parts in which it may be paid."""
    if not run.price or not can("payments.administer"):
        return None
    return Markup(render_template("payments/_plan_link.html", run=run))  # noqa: S704 - a template's


@bp.route("/admin/payments/plans/<uuid:run_uuid>", methods=["GET", "POST"])
def admin_plan(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """The parts in which a place in a run may be paid."""
    require("payments.administer")
    run = order_queries.get_run(run_uuid)
    plan = [(part.percent, part.due_on) for part in queries.plan_of(run)]
    form = PlanForm()
    if request.method == "GET":
        form.show(plan)
    if form.validate_on_submit():
        try:
            parts.keep_plan(run, form.plan(), signed_in())
        except PlanRefused as refusal:
            form.parts.errors = [str(refusal.text)]
        else:
            flash(
                _("The parts are kept. Orders that were placed before stay as they are."), "success"
            )
            return redirect(url_for(".admin_plan", run_uuid=run_uuid), 303)
    page = render_template(
        "payments/admin/plan.html",
        run=run,
        course=run.course,
        form=form,
        example=[] if form.errors else parts.schedule_for(run, run.price),
    )
    return page, 422 if form.errors else 200
