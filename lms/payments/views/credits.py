"""Administrators: what buyers have as credit, how it came about, paying it out."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from lms.accounts.permissions import require, signed_in
from lms.core.amounts import read_amount
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.payments import queries
from lms.payments.credit_models import CreditBalance, CreditKind
from lms.payments.errors import CreditGone
from lms.payments.forms import PayOutForm
from lms.payments.services import credits
from lms.payments.views import bp

_KINDS = {
    CreditKind.REFUND: lambda: _("Kept from a refund"),
    CreditKind.USED: lambda: _("Used for an order"),
    CreditKind.RELEASED: lambda: _("Free again, the order came to nothing"),
    CreditKind.PAID_OUT: lambda: _("Paid out"),
}


@bp.app_template_filter("credit_kind")
def credit_kind(kind: str) -> str:
    """Why a credit changed, in words."""
    return str(_KINDS[CreditKind(kind)]())


@bp.get("/admin/payments/credits")
def admin_credits() -> ResponseReturnValue:
    """Who has credit."""
    require("payments.administer")
    words = request.args.get("q", "")[:200]
    page = paginate(queries.list_credits(words), page_number(), 50)
    return render_template("payments/admin/credits.html", page=page, words=words)


def _page(balance: CreditBalance, form: PayOutForm, status: int = 200) -> tuple[str, int]:
    page = render_template(
        "payments/admin/credit.html",
        balance=balance,
        form=form,
        movements=credits.movements_of(balance.user),
    )
    return page, status


@bp.route("/admin/payments/credits/<int:user_id>/<currency>", methods=["GET", "POST"])
def admin_credit(user_id: int, currency: str) -> ResponseReturnValue:
    """How a credit came about, and paying it out."""
    require("payments.administer")
    balance = queries.get_credit(user_id, currency)
    form = PayOutForm()
    if not form.validate_on_submit():
        return _page(balance, form, 422 if request.method == "POST" else 200)
    try:
        amount = read_amount(form.amount.data or "", currency)
        credits.pay_out(balance.user, amount, (form.reference.data or "").strip(), signed_in())
    except ValidationError as refusal:
        form.amount.errors = [str(refusal)]
        return _page(balance, form, 422)
    except CreditGone as refusal:
        form.amount.errors = [str(refusal.text)]
        return _page(balance, form, 422)
    flash(_("The payment to the bank is recorded."), "success")
    return redirect(url_for(".admin_credit", user_id=user_id, currency=currency), 303)
