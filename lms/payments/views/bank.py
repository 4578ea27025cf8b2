"""Bank accounts and their files: upload, look, confirm; and lines matched by hand."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Sequence
from typing import Any

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms.validators import ValidationError

from lms.accounts.permissions import can, require, signed_in
from lms.accounts.step_up import require_second_factor
from lms.core.amounts import amount_text, read_amount
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.money import Money
from lms.core.pagination import paginate
from lms.core.text import harmless
from lms.core.web import page_number
from lms.payments import queries as payment_queries
from lms.payments.bank_forms import (
    BankAccountForm,
    BankFileForm,
    ConfirmFileForm,
    LayoutForm,
    MatchForm,
)
from lms.payments.bank_layouts import Layout, columns_of
from lms.payments.bank_models import BankAccount, BankImport, ImportState, Why
from lms.payments.bank_records import MOST_BYTES
from lms.payments.errors import AccountExists, BankFileRefused, NotToBeMatched
from lms.payments.movement_models import MovementState
from lms.payments.queries import bank as queries
from lms.payments.services import bank_imports, bank_lines
from lms.payments.services.bank_matching import Planned, Verdict
from lms.payments.views import bp
from lms.payments.views.reconciliation import movement_page

WHY = {
    Why.UNKNOWN: lazy_gettext("It names no order."),
    Why.AMOUNT_DIFFERS: lazy_gettext("The order asks for another amount."),
    Why.CURRENCY_DIFFERS: lazy_gettext("The order is in another currency."),
    Why.TWO_ORDERS: lazy_gettext("It names more than one order."),
    Why.ORDER_CLOSED: lazy_gettext("The order was cancelled or refunded."),
    Why.PAID_TWICE: lazy_gettext("The order is paid already."),
    Why.OTHER_WAY: lazy_gettext("The order is to be paid by another way."),
    Why.TOO_EARLY: lazy_gettext("The money came before the order was made."),
}
_VERDICTS = {
    Verdict.KNOWN: (lazy_gettext("Landed before"), "neutral"),
    Verdict.CONFIRMS: (lazy_gettext("Confirms the order"), "success"),
    Verdict.RETURNS: (lazy_gettext("Refund was sent"), "success"),
    Verdict.TELLS: (lazy_gettext("In the books already"), "success"),
    Verdict.LOOK: (lazy_gettext("To look at"), "warning"),
    Verdict.PASSED: (lazy_gettext("Not kept"), "neutral"),
}
_STATES = {
    ImportState.PREVIEW: (lazy_gettext("To be confirmed"), "warning"),
    ImportState.WAITING: (lazy_gettext("Being read"), "neutral"),
    ImportState.DONE: (lazy_gettext("Done"), "success"),
    ImportState.FAILED: (lazy_gettext("Failed"), "danger"),
}
SHOWN = 12  # first lines of a preview


@bp.app_template_filter("why_to_look")
def why_to_look(why: str) -> str:
    """Why a person has to look at a line, in words."""
    return str(WHY[Why(why)])


@bp.app_template_filter("line_verdict")
def line_verdict(verdict: str) -> tuple[str, str]:
    """What becomes of a line: words, and the kind of badge."""
    words, kind = _VERDICTS[Verdict(verdict)]
    return str(words), kind


@bp.app_template_filter("import_state")
def import_state(state: str) -> tuple[str, str]:
    """How far a file is: words, and the kind of badge."""
    words, kind = _STATES[ImportState(state)]
    return str(words), kind


def _accounts_page(form: BankAccountForm, status: int = 200) -> ResponseReturnValue:
    form.offer()
    page = render_template(
        "payments/admin/bank.html",
        accounts=db.session.scalars(queries.list_accounts()).all(),
        page=paginate(queries.list_imports(), page_number(), 25),
        form=form,
    )
    return page, status


@bp.get("/admin/payments/bank")
def admin_bank() -> ResponseReturnValue:
    """All accounts, and the files of all of them."""
    require("payments.administer")
    return _accounts_page(BankAccountForm())


@bp.post("/admin/payments/bank")
def admin_add_bank_account() -> ResponseReturnValue:
    """Have the files of one more account read."""
    require("payments.administer")
    form = BankAccountForm()
    form.offer()
    if not form.validate_on_submit():
        return _accounts_page(form, 422)
    try:
        account = bank_imports.add_account(
            (form.name.data or "").strip(), str(form.currency.data), "bank_transfer", signed_in()
        )
    except AccountExists as refusal:
        form.name.errors = [str(refusal.text)]
        return _accounts_page(form, 422)
    return redirect(url_for(".bank_account", account_id=account.id), 303)


def _account_page(
    account: BankAccount, form: BankFileForm, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "payments/bank_account.html",
        account=account,
        page=paginate(queries.list_imports([account.id]), page_number(), 25),
        form=form,
        frame=_frame(),
    )
    return page, status


def _frame() -> str:
    """The page around: of administrators, or of a partner's people."""
    is_administrator = can("payments.administer")
    return "payments/admin/_frame.html" if is_administrator else "payments/_bank_frame.html"


@bp.get("/payments/bank/<int:account_id>")
def bank_account(account_id: int) -> ResponseReturnValue:
    """One account: upload a file, and see those before."""
    account = queries.get_account(account_id)
    require("payments.read_bank_files", account)
    return _account_page(account, BankFileForm())


@bp.post("/payments/bank/<int:account_id>")
def upload_bank_file(account_id: int) -> ResponseReturnValue:
    """Read a file, and book nothing."""
    account = queries.get_account(account_id)
    require("payments.read_bank_files", account)
    form = BankFileForm()
    if not form.validate_on_submit():
        return _account_page(account, form, 422)
    try:
        content = form.file.data.read(MOST_BYTES + 1)
        made = bank_imports.upload(account, content, form.file.data.filename or "", signed_in())
    except BankFileRefused as refusal:
        form.file.errors = [str(refusal.text)]
        return _account_page(account, form, 422)
    return redirect(url_for(".bank_file", import_uuid=made.uuid), 303)


def _own_import(import_uuid: uuid.UUID) -> BankImport:
    found = queries.get_import(import_uuid)
    require("payments.read_bank_files", found.account)
    return found


def _file_page(
    bank_import: BankImport,
    status: int = 200,
    layout: LayoutForm | None = None,
    confirm: ConfirmFileForm | None = None,
) -> ResponseReturnValue:
    values: dict[str, Any] = {"found": bank_import, "frame": _frame()}
    if bank_import.state in (ImportState.PREVIEW, ImportState.FAILED):
        values["confirm"] = confirm or _confirm_form(bank_import)
        if bank_import.broke_off:  # looking at it could break off as well
            return render_template("payments/bank_broken.html", **values), status
        kept = Layout.from_json(bank_import.layout)
        seen = bank_imports.preview(bank_import)
        values |= {
            "seen": seen,
            "first": [*_to_look_at_first(seen.planned)][:SHOWN],
            "layout": layout or LayoutForm.of(kept, is_new=True),
            "columns": columns_of(bank_import.content or b"", kept),
        }
        return render_template("payments/bank_preview.html", **values), status
    values["open"] = queries.count_open(bank_import)
    values["page"] = paginate(queries.lines_of(bank_import), page_number(), 50)
    return render_template("payments/bank_file.html", **values), status


def _confirm_form(bank_import: BankImport) -> ConfirmFileForm:
    """With the balance that was typed at a try that failed."""
    closing = bank_import.money(bank_import.closing_minor)
    data = {
        "version": bank_import.version,
        "closing": amount_text(closing) if closing is not None else "",
    }
    return ConfirmFileForm(formdata=None, data=data)


def _to_look_at_first(planned: Sequence[Planned]) -> list[Planned]:
    """The lines as the file has them, those that do something before the others."""
    does = (Verdict.CONFIRMS, Verdict.RETURNS, Verdict.LOOK, Verdict.TELLS)
    return sorted(planned, key=lambda one: one.verdict not in does)


@bp.get("/payments/bank/files/<uuid:import_uuid>")
def bank_file(import_uuid: uuid.UUID) -> ResponseReturnValue:
    """What a file would do, how far it is, or what it did."""
    return _file_page(_own_import(import_uuid))


@bp.post("/payments/bank/files/<uuid:import_uuid>/layout")
def read_bank_file_again(import_uuid: uuid.UUID) -> ResponseReturnValue:
    """Read the file as a person says."""
    found = _own_import(import_uuid)
    kept = Layout.from_json(found.layout)
    form = LayoutForm.of(kept, is_new=False)
    if not form.validate_on_submit():
        return _file_page(found, 422, layout=form)
    try:
        bank_imports.read_again(found, form.layout(kept))
    except BankFileRefused as refusal:
        form.encoding.errors = [str(refusal.text)]
        return _file_page(found, 422, layout=form)
    return redirect(url_for(".bank_file", import_uuid=import_uuid), 303)


@bp.post("/payments/bank/files/<uuid:import_uuid>/confirm")
def confirm_bank_file(import_uuid: uuid.UUID) -> ResponseReturnValue:
    """Let the file land. A partner's file confirms what it collected for the seller."""
    found = _own_import(import_uuid)
    if found.account.organisation_id is not None:
        require_second_factor()
    form = ConfirmFileForm()
    if not form.validate_on_submit():
        return _file_page(found, 422, confirm=form)
    try:
        closing = _closing(form, found.account.currency)
    except ValidationError as refusal:
        form.closing.errors = [str(refusal)]
        return _file_page(found, 422, confirm=form)
    if not bank_imports.preview(found).is_ready:
        return _file_page(found, 422, confirm=form)
    bank_imports.confirm(found, form.version.data or 0, signed_in(), closing)
    return redirect(url_for(".bank_file", import_uuid=import_uuid), 303)


def _closing(form: ConfirmFileForm, currency: str) -> Money | None:
    """The balance that was typed; it may be below zero. Raises ValidationError."""
    text = (form.closing.data or "").strip().replace("−", "-")
    if not text:
        return None
    if text.strip("-0., ") == "":
        return Money(0, currency)
    amount = read_amount(text.lstrip("-"), currency)
    return -amount if text.startswith("-") else amount


@bp.post("/payments/bank/files/<uuid:import_uuid>/discard")
def discard_bank_file(import_uuid: uuid.UUID) -> ResponseReturnValue:
    """Forget a file that was not confirmed."""
    found = _own_import(import_uuid)
    account_id = found.account_id
    bank_imports.discard(found)
    flash(_("The file is forgotten, and nothing was booked."), "success")
    return redirect(url_for(".bank_account", account_id=account_id), 303)


@bp.get("/payments/bank/files/<uuid:import_uuid>.csv")
def bank_file_table(import_uuid: uuid.UUID) -> ResponseReturnValue:
    """The lines that landed, and what became of each, as a table."""
    found = _own_import(import_uuid)
    if found.state != ImportState.DONE:
        raise NotFound
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["line", "day", "amount", "currency", "text", "name", "state", "order"])
    for line in db.session.scalars(queries.lines_of(found)):
        row = line.movement
        number = row.payment.order.number if row.payment else ""
        words = [row.currency, line.text, line.name, row.state, number]
        writer.writerow(
            [line.line, line.day.isoformat(), f"{row.amount.decimal:f}", *map(harmless, words)]
        )
    response = Response(("\ufeff" + table.getvalue()).encode(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="bank-{found.id}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post("/admin/payments/movements/<int:movement_id>/match")
def admin_match_line(movement_id: int) -> ResponseReturnValue:
    """Say which order a line of the bank belongs to."""
    require("payments.administer")
    row = payment_queries.get_movement(movement_id)
    line = queries.find_line(row)
    if line is None or row.state != MovementState.OPEN:
        raise NotFound
    form = MatchForm()
    if not form.validate_on_submit():
        return movement_page(row, status=422, match=form)
    try:
        order = bank_lines.find_order(form.order.data or "")
        bank_lines.match_by_hand(line, order, (form.reason.data or "").strip(), signed_in())
    except NotToBeMatched as refusal:
        form.order.errors = [str(refusal.text)]
        return movement_page(row, status=422, match=form)
    flash(_("The line belongs to order %(number)s now.", number=order.number), "success")
    return redirect(url_for(".admin_reconciliation"), 303)
