"""Invoices: found, downloaded, summed up for a tax return."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable
from datetime import date

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import Select

from lms.accounts.permissions import require
from lms.core import clock
from lms.core.db import db
from lms.core.pagination import paginate
from lms.core.settings import settings
from lms.core.text import harmless
from lms.core.web import attachment, page_number
from lms.invoicing import queries
from lms.invoicing.documents import document_response
from lms.invoicing.forms import PeriodForm
from lms.invoicing.models import Invoice
from lms.invoicing.views import bp
from lms.invoicing.words import BUYERS, CATEGORIES, KINDS


@bp.get("/invoices/<uuid:invoice_uuid>.pdf")
def download(invoice_uuid: uuid.UUID) -> ResponseReturnValue:
    """The PDF as it was made: for its buyer and for administrators."""
    invoice = queries.get_invoice(invoice_uuid)
    require("invoicing.read", invoice)
    return document_response(invoice)


def _number(name: str) -> int | None:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def _chosen() -> dict[str, str]:
    return {name: request.args.get(name, "")[:200] for name in ("q", "kind", "year", "buyer")}


@bp.get("/admin/invoicing/invoices")
def invoices() -> ResponseReturnValue:
    """Everything that was issued, searched and filtered."""
    require("invoicing.administer")
    chosen = _chosen()
    return render_template(
        "invoicing/invoices.html",
        page=paginate(_listed(chosen), page_number(), 50),
        chosen=chosen,
        kinds=list(KINDS.items()),
        buyers=[pair for pair in BUYERS.items() if pair[0]],
        years=[(str(year), str(year)) for year in queries.years()],
    )


def _listed(chosen: dict[str, str]) -> Select[Invoice]:
    return queries.list_invoices(
        words=chosen["q"], kind=chosen["kind"], year=_number("year"), buyer=chosen["buyer"]
    )


@bp.get("/admin/invoicing/invoices/<uuid:invoice_uuid>")
def invoice_page(invoice_uuid: uuid.UUID) -> ResponseReturnValue:
    """One of them with its lines, and what belongs to it."""
    require("invoicing.administer")
    invoice = queries.get_invoice(invoice_uuid)
    return render_template(
        "invoicing/invoice.html",
        invoice=invoice,
        buyer=invoice.buyer_details,
        about=queries.invoices_about(invoice.reference) if invoice.reference else [],
    )


@bp.get("/admin/invoicing/invoices.csv")
def download_invoices() -> ResponseReturnValue:
    """What the list shows, as a table; amounts of credit notes are negative."""
    require("invoicing.administer")
    statement = _listed(_chosen()).limit(queries.LONGEST_LIST)
    heads = (
        pgettext("invoice", "Number"), _("Kind"), _("Date of issue"), _("Order"), _("Cancels"),
        _("Buyer"), _("Organisation"), _("Country"), _("Province"), _("Currency"), _("Net"),
        _("Tax"), _("Gross"),
    )  # fmt: skip
    return _csv("invoices.csv", [heads, *(_row(one) for one in db.session.scalars(statement))])


def _row(invoice: Invoice) -> tuple[str, ...]:
    sign = -1 if invoice.is_credit_note else 1
    return (
        invoice.number,
        str(KINDS[invoice.kind]),
        invoice.issued_on.isoformat(),
        invoice.reference,
        invoice.cancels.number if invoice.cancels else "",
        invoice.user.name if invoice.user else "",
        invoice.organisation,
        invoice.country,
        invoice.province,
        invoice.currency,
        *(str(sign * amount.decimal) for amount in (invoice.net, invoice.tax, invoice.gross)),
    )


def _is_amount(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdecimal()


def _csv(name: str, rows: Iterable[Iterable[str]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([cell if _is_amount(cell) else harmless(cell) for cell in row])
    return attachment("\ufeff" + text.getvalue(), name, "text/csv; charset=utf-8")


def _period() -> tuple[date, date, PeriodForm]:
    """The days asked for; this quarter when none are."""
    today = clock.local_date(clock.now(), settings().default_time_zone)
    form = PeriodForm(request.args)
    is_valid = form.validate()
    first = form.first.data if is_valid else None
    last = form.last.data if is_valid else None
    start = first or date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    return start, max(start, last or today), form


@bp.get("/admin/invoicing/tax-sheet")
def tax_sheet() -> ResponseReturnValue:
    """What was taxed in a period, by jurisdiction, category and rate."""
    require("invoicing.administer")
    first, last, _form = _period()
    sellers = queries.list_sellers()
    seller = next((one for one in sellers if one.id == _number("seller")), None) or (
        sellers[0] if sellers else None
    )
    return render_template(
        "invoicing/tax_sheet.html",
        sellers=sellers,
        seller_choices=[(one.id, one.name or one.series) for one in sellers],
        seller=seller,
        first=first,
        last=last,
        sums=queries.tax_sheet(seller.id, first, last) if seller else [],
    )


@bp.get("/admin/invoicing/sellers/<int:seller_id>/tax-sheet.csv")
def download_tax_sheet(seller_id: int) -> ResponseReturnValue:
    """The tax sheet as a table."""
    require("invoicing.administer")
    seller = queries.get_seller(seller_id)
    first, last, _form = _period()
    heads = (
        _("Jurisdiction"), _("Category"), _("Rate"), _("Currency"), _("Taxable"), _("Tax"),
        _("Documents"),
    )  # fmt: skip
    rows = [
        (
            one.jurisdiction,
            f"{one.category} {CATEGORIES.get(one.category, '')}",
            str(one.percent),
            one.base.currency,
            str(one.base.decimal),
            str(one.tax.decimal),
            str(one.invoices),
        )
        for one in queries.tax_sheet(seller.id, first, last)
    ]
    return _csv(f"tax-{seller.series}-{first}-{last}.csv", [heads, *rows])
