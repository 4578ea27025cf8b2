"""Statements: sent by administrators, read, accepted and contested by partners."""

from __future__ import annotations

import csv
import io
import uuid

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from lms.accounts.permissions import can, require, signed_in
from lms.core.amounts import read_amount
from lms.core.choices import choices
from lms.core.pagination import paginate
from lms.core.pdf import html_to_pdf
from lms.core.text import in_language
from lms.core.web import page_number
from lms.directory.models import Organisation
from lms.partners import queries
from lms.partners.errors import ReferenceUsed, TooMuch
from lms.partners.forms import ActionForm, ContestForm, PaidForm
from lms.partners.models import PartnerStatement, StatementState
from lms.partners.services import statements
from lms.partners.services.agreements import today
from lms.partners.views import bp


def _months() -> list[str]:
    """The last twelve months that are over, the newest first."""
    day = today()
    first = day.year * 12 + day.month - 1
    return [f"{n // 12}-{n % 12 + 1:02d}" for n in range(first - 1, first - 13, -1)]


def _administration(form: PaidForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "partners/admin/statements.html",
        page=paginate(queries.list_statements(), page_number(), 25),
        balances=queries.partner_balances(),
        months=_months(),
        form=form,
    )
    return page, status


def _paid_form() -> tuple[PaidForm, dict[str, Organisation]]:
    known = {one.slug: one for one in queries.partners()}
    form = PaidForm()
    form.offer()
    form.partner.choices = choices([(slug, in_language(o.name)) for slug, o in known.items()])
    return form, known


@bp.get("/admin/partners/statements")
def admin_statements() -> ResponseReturnValue:
    """What is owed to partners, statements, and payments to them."""
    require("partners.administer")
    form, _known = _paid_form()
    return _administration(form)


@bp.post("/admin/partners/statements")
def send_statements() -> ResponseReturnValue:
    """Send each partner its statement of a month."""
    require("partners.administer")
    month = request.form.get("month", "")
    if not ActionForm().validate_on_submit() or month not in _months():
        form, _known = _paid_form()
        return _administration(form, 422)
    sent = statements.send_month(month, signed_in())
    flash(ngettext("%(num)s statement is sent.", "%(num)s statements are sent.", sent), "success")
    return redirect(url_for(".admin_statements"), 303)


@bp.post("/admin/partners/payments")
def record_payment() -> ResponseReturnValue:
    """Note that money was sent to a partner, or came from it."""
    require("partners.administer")
    form, known = _paid_form()
    if not form.validate_on_submit():
        return _administration(form, 422)
    try:
        amount = read_amount(form.amount.data or "", str(form.currency.data))
        reference = (form.reference.data or "").strip()
        is_from = form.way.data == "from"
        record = statements.record_payment_from if is_from else statements.record_payment
        record(known[str(form.partner.data)], amount, reference, signed_in())
    except (ValidationError, TooMuch) as refusal:
        form.amount.errors = [str(refusal.text if isinstance(refusal, TooMuch) else refusal)]
        return _administration(form, 422)
    except ReferenceUsed as refusal:
        form.reference.errors = [str(refusal.text)]
        return _administration(form, 409)
    flash(_("The payment is recorded."), "success")
    return redirect(url_for(".admin_statements"), 303)


def _page(
    found: PartnerStatement, status: int = 200, form: ContestForm | None = None, line: int = 0
) -> ResponseReturnValue:
    may_answer = can("partners.answer", found) and found.state != StatementState.ACCEPTED
    page = render_template(
        "partners/statement.html",
        statement=found,
        sums=statements.sums_of(found),
        may_answer=may_answer,
        form=form or ContestForm(formdata=None),
        form_line=line,
    )
    return page, status


@bp.get("/partners/statements/<uuid:statement_uuid>")
def statement(statement_uuid: uuid.UUID) -> ResponseReturnValue:
    """One statement with its lines."""
    found = queries.get_statement(statement_uuid)
    require("partners.see_statement", found)
    return _page(found)


@bp.get("/partners/statements/<uuid:statement_uuid>.csv")
def statement_csv(statement_uuid: uuid.UUID) -> ResponseReturnValue:
    """A statement as a table."""
    found = queries.get_statement(statement_uuid)
    require("partners.see_statement", found)
    table = io.StringIO()
    csv.writer(table).writerows(statements.rows_of(found))
    return _file(table.getvalue().encode("utf-8-sig"), "text/csv", found, "csv")


@bp.get("/partners/statements/<uuid:statement_uuid>.pdf")
def statement_pdf(statement_uuid: uuid.UUID) -> ResponseReturnValue:
    """A statement on paper."""
    found = queries.get_statement(statement_uuid)
    require("partners.see_statement", found)
    html = render_template(
        "partners/statement_pdf.html",
        statement=found,
        sums=statements.sums_of(found),
        language=str(get_locale() or "en"),
    )
    return _file(html_to_pdf(html), "application/pdf", found, "pdf")


def _file(content: bytes, mimetype: str, found: PartnerStatement, ending: str) -> Response:
    name = f"{found.organisation.slug}-{found.month}-{found.currency}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=mimetype, headers=headers)


@bp.post("/partners/statements/<uuid:statement_uuid>/accept")
def accept_statement(statement_uuid: uuid.UUID) -> ResponseReturnValue:
    """Accept a statement for one's own institution."""
    found = queries.get_statement(statement_uuid)
    require("partners.answer", found)
    statements.accept(found, signed_in())
    flash(_("You have accepted the statement."), "success")
    return redirect(url_for(".statement", statement_uuid=statement_uuid), 303)


@bp.post("/partners/statements/<uuid:statement_uuid>/lines/<int:line_id>")
def contest_line(statement_uuid: uuid.UUID, line_id: int) -> ResponseReturnValue:
    """Say what is wrong with a line."""
    found = queries.get_statement(statement_uuid)
    require("partners.answer", found)
    line = queries.get_line(found, line_id)
    form = ContestForm()
    if not form.validate_on_submit():
        return _page(found, 422, form, line_id)
    statements.contest(line, (form.words.data or "").strip(), signed_in())
    flash(_("We have been told, and will answer here."), "success")
    return redirect(url_for(".statement", statement_uuid=statement_uuid), 303)


@bp.post("/admin/partners/statements/<uuid:statement_uuid>/lines/<int:line_id>")
def answer_line(statement_uuid: uuid.UUID, line_id: int) -> ResponseReturnValue:
    """Answer what a partner said about a line."""
    require("partners.administer")
    found = queries.get_statement(statement_uuid)
    line = queries.get_line(found, line_id)
    form = ContestForm()
    if not form.validate_on_submit():
        return _page(found, 422, form, line_id)
    statements.answer(line, (form.words.data or "").strip(), signed_in())
    flash(_("The partner is told."), "success")
    return redirect(url_for(".statement", statement_uuid=statement_uuid), 303)
