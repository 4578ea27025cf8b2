"""Administrators: vouchers and their use."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.accounts.permissions import require, signed_in
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.courses.models import CourseRun
from lms.payments import queries
from lms.payments.errors import VoucherRefused
from lms.payments.forms import ActionForm, VoucherForm
from lms.payments.models import Order, VoucherUse
from lms.payments.services import vouchers as services
from lms.payments.views import bp
from lms.pricing.scopes import chosen_scope, scope_choices


@bp.get("/admin/payments/vouchers")
def admin_vouchers() -> ResponseReturnValue:
    """All vouchers with their use."""
    require("payments.administer")
    words = request.args.get("q", "")[:100]
    page = paginate(queries.list_vouchers(words), page_number(), 50)
    return render_template("payments/admin/vouchers.html", page=page, words=words)


@bp.route("/admin/payments/vouchers/new", methods=["GET", "POST"])
def admin_new_voucher() -> ResponseReturnValue:
    """Make one voucher, or a batch."""
    require("payments.administer")
    form = VoucherForm()
    form.offer(scope_choices())
    if form.validate_on_submit():
        terms = form.terms(**chosen_scope(form.scope.data))
        count = form.count.data or 1
        try:
            if count > 1:
                made = services.make_batch(terms, signed_in(), count)
            else:
                made = [services.make_voucher(terms, signed_in(), form.code.data or None)]
        except VoucherRefused as refusal:
            form.code.errors = [str(refusal.text)]
        else:
            flash(
                ngettext("One voucher is made.", "%(num)d vouchers are made.", len(made)), "success"
            )
            if len(made) == 1:
                return redirect(url_for(".admin_voucher", voucher_id=made[0].id), 303)
            return redirect(url_for(".admin_vouchers", q=terms.label or None), 303)
    return render_template(
        "payments/admin/new_voucher.html", form=form
    ), 422 if form.errors else 200


@bp.get("/admin/payments/vouchers/<int:voucher_id>")
def admin_voucher(voucher_id: int) -> ResponseReturnValue:
    """One voucher and the orders that used it."""
    require("payments.administer")
    voucher = queries.get_voucher(voucher_id)
    uses = (
        select(VoucherUse)
        .where(VoucherUse.voucher_id == voucher.id)
        .options(
            joinedload(VoucherUse.order).options(
                joinedload(Order.user), joinedload(Order.run).joinedload(CourseRun.course)
            )
        )
        .order_by(VoucherUse.id.desc())
    )
    return render_template(
        "payments/admin/voucher.html",
        voucher=voucher,
        page=paginate(uses, page_number(), 50),
    )


@bp.post("/admin/payments/vouchers/<int:voucher_id>/deactivate")
def admin_deactivate_voucher(voucher_id: int) -> ResponseReturnValue:
    """Let nobody use a voucher any more."""
    require("payments.administer")
    form = ActionForm()
    voucher = queries.get_voucher(voucher_id)
    if form.validate_on_submit():
        services.deactivate_voucher(voucher, signed_in())
        flash(_("The voucher can no longer be used."), "success")
    return redirect(url_for(".admin_voucher", voucher_id=voucher_id), 303)
