"""Administrators: what moved at payment services, disputes, and what nobody has explained."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from lms.accounts.permissions import require, signed_in
from lms.core.outbox import enqueue
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.ledger.accounts import Account
from lms.payments import queries
from lms.payments.bank_forms import MatchForm
from lms.payments.bank_models import BankLine
from lms.payments.errors import NotForAllMovements
from lms.payments.explain_forms import ExplainForm, ExplainManyForm
from lms.payments.gateways.base import MovementKind
from lms.payments.movement_models import GatewayMovement, MovementState
from lms.payments.queries import bank as bank_queries
from lms.payments.services import explaining
from lms.payments.views import bp, shared


def _explain_form(line: BankLine | None, *, is_new: bool = False) -> ExplainForm:
    form = ExplainForm(**({"formdata": None} if is_new else {}))
    form.offer(explaining.accounts_for(line))
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


def _open_page(form: ExplainManyForm | None = None, status: int = 200) -> ResponseReturnValue:
    page = paginate(queries.list_gateway_movements(MovementState.OPEN), page_number(), 50)
    lines = bank_queries.bank_lines(page.items)
    form = form or ExplainManyForm(formdata=None)
    kinds = [explaining.accounts_for(lines.get(row.id)) for row in page.items]
    form.offer(dict.fromkeys(account for known in kinds for account in known))
    shown = render_template(
        "payments/admin/reconciliation.html",
        syncs=queries.last_syncs(),
        page=page,
        lines=lines,
        form=form,
        unexplained=queries.unexplained_money(),
    )
    return shown, status


@bp.get("/admin/payments/reconciliation")
def admin_reconciliation() -> ResponseReturnValue:
    """Open movements with age and owner; the last look at each service."""
    require("payments.administer")
    return _open_page()


@bp.post("/admin/payments/reconciliation/explain")
def admin_explain_movements() -> ResponseReturnValue:
    """Say what several movements were: an account and a reason for all of them."""
    require("payments.administer")
    form = ExplainManyForm()
    form.offer(dict.fromkeys((*explaining.EXPLAINS_LINES, *explaining.EXPLAINS)))
    if not form.validate_on_submit():
        return _open_page(form, 422)
    rows = queries.get_movements(form.chosen.data or [])
    account, why = Account(form.account.data), (form.explanation.data or "").strip()
    try:
        explaining.explain(rows, account, why, signed_in())
    except NotForAllMovements as refusal:
        form.account.errors = [str(refusal.text)]
        return _open_page(form, 422)
    flash(
        ngettext(
            "%(num)s movement is explained, and the ledger tells it.",
            "%(num)s movements are explained, and the ledger tells them.",
            len(rows),
        ),
        "success",
    )
    return redirect(url_for(".admin_reconciliation"), 303)


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
    explaining.own_movement(row, None if row.owner_id == me.id else me, me)
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
    explaining.explain([row], account, (form.explanation.data or "").strip(), signed_in())
    flash(_("The movement is explained, and the ledger tells it."), "success")
    return redirect(url_for(".admin_reconciliation"), 303)
