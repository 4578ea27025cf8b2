"""Reports as files: CSV line by line, XLSX with types."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import TextIOWrapper
from typing import IO, Any, TypeAlias

import xlsxwriter
from babel.numbers import get_currency_precision
from flask_babel import gettext as _
from flask_babel import pgettext

from lms.core import clock
from lms.core.templating import format_moment
from lms.core.text import harmless
from lms.reports.base import Column, Filters, Report, RowValues
from lms.reports.cells import kept, shown
from lms.reports.tables import Sort, each_row, read_totals

BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for the system's own code page
_DAY, _MONTH, _PERCENT = "yyyy-mm-dd", "mmm yyyy", "0.0 %"


Writer: TypeAlias = Callable[[Report, Filters, IO[bytes], Sort | None], None]


def write_csv(report: Report, filters: Filters, file: IO[bytes], sort: Sort | None = None) -> None:
    """The report as CSV (RFC 4180), line by line."""
    columns = report.columns(filters)
    text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    lines = csv.writer(text)
    text.write(BYTE_ORDER_MARK)
    lines.writerow([harmless(_heading(column)) for column in columns])
    for row in each_row(report, filters, sort):
        lines.writerow([_field(kept(column, row, filters)) for column in columns])
    text.detach()


def _heading(column: Column) -> str:
    return f"{column.label}, {column.currency}" if column.currency else str(column.label)


def _field(value: str | int | Decimal | date | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def write_xlsx(report: Report, filters: Filters, file: IO[bytes], sort: Sort | None = None) -> None:
    """The report as a workbook: numbers stay numbers, dates dates; a second sheet says what it is.

    Rows are written to disk as they come: constant memory.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": _DAY,
    }
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": str(report.label), "created": clock.now()})
        _write_rows(book, report, filters, sort)
        _write_about(book, report, filters)


class _Formats:
    """Formats of cells, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}

    def __getitem__(self, pattern: str) -> Any:
        if pattern not in self._made:
            self._made[pattern] = self._book.add_format({"num_format": pattern})
        return self._made[pattern]

    def money(self, currency: str) -> Any:
        digits = get_currency_precision(currency)
        return self["#,##0" + ("." + "0" * digits if digits else "")]


def _write_rows(book: Any, report: Report, filters: Filters, sort: Sort | None) -> None:
    columns = report.columns(filters)
    formats = _Formats(book)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(_("Figures"))
    for place, column in enumerate(columns):
        sheet.set_column(place, place, 32 if column.kind == "text" else 16)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, _heading(column), bold)
    for line, row in enumerate(each_row(report, filters, sort), start=1):
        for place, column in enumerate(columns):
            _write_cell(sheet, line, place, column, row, filters, formats)


def _write_cell(
    sheet: Any,
    line: int,
    place: int,
    column: Column,
    row: RowValues,
    filters: Filters,
    formats: _Formats,
) -> None:
    value = kept(column, row, filters)
    if value is None:
        return
    if isinstance(value, str):
        sheet.write_string(line, place, value)
    elif isinstance(value, date):
        sheet.write_datetime(
            line, place, value, formats[_MONTH if column.kind == "month" else _DAY]
        )
    elif column.kind == "money":
        currency = column.currency or str(row["currency"])
        sheet.write_number(line, place, value, formats.money(currency))
    elif column.kind == "percent":
        sheet.write_number(line, place, value, formats[_PERCENT])
    else:
        sheet.write_number(line, place, value)


def _write_about(book: Any, report: Report, filters: Filters) -> None:
    sheet = book.add_worksheet(_("About"))
    sheet.set_column(0, 1, 40)
    lines = [
        (_("Report"), str(report.label)),
        (_("What it shows"), str(report.description)),
        (_("First day"), filters.first.isoformat() if filters.first else _("Any")),
        (_("Last day"), filters.last.isoformat() if filters.last else _("Any")),
        (_("Time zone"), filters.time_zone),
    ]
    for selection in report.selections:
        chosen = filters.get(selection.name)
        texts = dict(selection.choices(filters)) if chosen else {}
        lines.append((str(selection.label), texts.get(chosen or "", str(selection.any_label))))
    for total in read_totals(report, filters):
        for column in report.columns(filters):
            if column.name in total.values:
                row = {**total.values, "currency": total.currency}
                lines.append((_("Total: %(column)s", column=_heading(column)), shown(column, row)))
    lines.append((pgettext("report", "Made"), format_moment(clock.now())))
    for line, (label, text) in enumerate(lines):
        sheet.write_string(line, 0, label)
        sheet.write_string(line, 1, text)
