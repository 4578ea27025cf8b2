"""Administrators: what moved at payment services, disputes, and what nobody has explained."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.outbox import enqueue
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.ledger.accounts import Account, account_label
from lms.payments import queries
from lms.payments.bank_forms import MatchForm
from lms.payments.bank_models import BankLine
from lms.payments.forms import ExplainForm
from lms.payments.gateways.base import MovementKind
from lms.payments.movement_models import GatewayMovement, MovementState
from lms.payments.queries import bank as bank_queries
from lms.payments.services import reconciliation
from lms.payments.views import bp, shared


def _explain_form(line: BankLine | None, *, is_new: bool = False) -> ExplainForm:
    form = ExplainForm(**({"formdata": None} if is_new else {}))
    known: Sequence[Account] = (
        reconciliation.EXPLAINS if line is None else reconciliation.EXPLAINS_LINES
    )
    if line is not None and line.account.organisation_id is not None:
        known = (Account.OTHER,)
    form.account.choices = [("", _("Choose"))] + [
        (account.value, account_label(account)) for account in known
    ]
    return form


def movement_page(
    row: GatewayMovement,
    form: ExplainForm | None = None,
    status: int = 200,
    match: MatchForm | None = None,
) -> ResponseReturnValue:
    """One movement: what is known of it, and how to explain or match it."""
    line = bank_queries.find_line(row)
    page = render_template(
        "payments/admin/movement.html",
        row=row,
        line=line,
        form=form or _explain_form(line, is_new=True),
        match=match or MatchForm(formdata=None),
        candidates=bank_queries.candidates(line) if line else [],
    )
    return page, status


@bp.get("/admin/payments/reconciliation")
def admin_reconciliation() -> ResponseReturnValue:
    """Open movements with age and owner; the last look at each service."""
    require("payments.administer")
    page = paginate(queries.list_gateway_movements(MovementState.OPEN), page_number(), 25)
    return render_template(
        "payments/admin/reconciliation.html",
        syncs=queries.last_syncs(),
        page=page,
        lines=bank_queries.bank_lines(page.items),
        unexplained=queries.unexplained_money(),
    )


@bp.post("/admin/payments/reconciliation/sync")
def admin_sync_movements() -> ResponseReturnValue:
    """Have the services asked now."""
    require("payments.administer")
    enqueue("payments.sync_movements")
    flash(_("The payment services are being asked. Load this page again in a moment."), "info")
    return redirect(url_for(".admin_reconciliation"), 303)


@bp.get("/admin/payments/movements")
def admin_movements() -> ResponseReturnValue:
    """All movements, or those of a payout."""
    require("payments.administer")
    names = ("state", "kind", "payout")
    chosen = {name: request.args.get(name, "")[:100] for name in names}
    page = paginate(queries.list_gateway_movements(**chosen), page_number(), 50)
    return render_template(
        "payments/admin/movements.html",
        page=page,
        chosen=chosen,
        kinds=[(kind.value, shared.MOVEMENTS[kind]) for kind in MovementKind],
        payouts={row.movement.id: row for row in queries.payouts(page.items)},
    )


@bp.get("/admin/payments/disputes")
def admin_disputes() -> ResponseReturnValue:
    """Payments that buyers' banks take back."""
    require("payments.administer")
    return render_template(
        "payments/admin/disputes.html", page=paginate(queries.list_disputes(), page_number(), 25)
    )


@bp.get("/admin/payments/movements/<int:movement_id>")
def admin_movement(movement_id: int) -> ResponseReturnValue:
    """One movement: what is known of it, and how to explain it."""
    require("payments.administer")
    return movement_page(queries.get_movement(movement_id))


@bp.post("/admin/payments/movements/<int:movement_id>/own")
def admin_own_movement(movement_id: int) -> ResponseReturnValue:
    """Take a movement on, or put it back."""
    require("payments.administer")
    row = queries.get_movement(movement_id)
    me = signed_in()
    reconciliation.own_movement(row, None if row.owner_id == me.id else me, me)
    return redirect(url_for(".admin_movement", movement_id=row.id), 303)


@bp.post("/admin/payments/movements/<int:movement_id>/explain")
def admin_explain_movement(movement_id: int) -> ResponseReturnValue:
    """Say what a movement was: an account and a reason."""
    require("payments.administer")
    row = queries.get_movement(movement_id)
    form = _explain_form(bank_queries.find_line(row))
    if not form.validate_on_submit():
        return movement_page(row, form, 422)
    account = Account(form.account.data)
    reconciliation.explain(row, account, (form.explanation.data or "").strip(), signed_in())
    flash(_("The movement is explained, and the ledger tells it."), "success")
    return redirect(url_for(".admin_reconciliation"), 303)
