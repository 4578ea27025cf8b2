"""Refund policies: read, and added for orders to come."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import require, signed_in
from lms.core.db import db
from lms.core.money import Money
from lms.core.settings import settings
from lms.payments.errors import PolicyRefused
from lms.payments.forms import PolicyForm
from lms.payments.services.refund_policy import Policy, add_policy, as_policy, present_row
from lms.payments.terms_models import RefundPolicy
from lms.payments.views import bp


def _caps(policy: Policy) -> str:
    """Caps as the form takes them; a currency without one has none to copy."""
    return "\n".join(
        f"{code} {Money(policy.fee_caps[code], code).decimal}" if code in policy.fee_caps else code
        for code in settings().currencies
    )


@bp.route("/admin/payments/refund-policies", methods=["GET", "POST"])
def admin_refund_policies() -> ResponseReturnValue:
    """All policies, and a form for the next one."""
    require("payments.administer")
    present = present_row()
    policy = as_policy(present)
    form = PolicyForm(
        data={
            "fee_percent": policy.fee_percent,
            "nothing_after_percent": policy.nothing_after_percent,
            "moved_days": policy.moved_days,
            "caps": _caps(policy),
        }
    )
    if form.validate_on_submit():
        try:
            add_policy(form.row(), signed_in())
        except PolicyRefused as refusal:
            form.starts_on.errors = [str(refusal.text)]
        else:
            flash(_("The policy is kept. Orders placed before keep theirs."), "success")
            return redirect(url_for(".admin_refund_policies"), 303)
    rows = db.session.scalars(
        select(RefundPolicy).order_by(RefundPolicy.starts_on.desc()).limit(200)
    ).all()
    page = render_template(
        "payments/admin/refund_policies.html",
        form=form,
        rows=[(row, [Money(minor, code) for code, minor in row.fee_caps.items()]) for row in rows],
        present=present,
        policy=policy,
    )
    return page, 422 if form.errors else 200
