"""Tables to take along: CSV and XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import xlsxwriter
from flask import Response

from lms.core.text import harmless

Row = Sequence[str | float | date | None]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def answer_table(kind: str, name: str, headings: Sequence[str], rows: Iterable[Row]) -> Response:
    """A download. kind: csv or xlsx."""
    content = _xlsx(headings, rows) if kind == "xlsx" else _csv(headings, rows)
    media_type = _XLSX if kind == "xlsx" else "text/csv; charset=utf-8"
    response = Response(content, content_type=media_type)
    ending = "xlsx" if kind == "xlsx" else "csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _csv(headings: Sequence[str], rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headings)
    for row in rows:
        writer.writerow(
            [
                harmless(cell) if isinstance(cell, str) else "" if cell is None else cell
                for cell in row
            ]
        )
    return ("\ufeff" + text.getvalue()).encode()


def _xlsx(headings: Sequence[str], rows: Iterable[Row]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            _write(sheet, number, column, cell, day)
    sheet.set_column(0, max(0, len(headings) - 1), 22)
    book.close()
    return content.getvalue()


def _write(sheet: Any, row: int, column: int, cell: str | float | date | None, day: Any) -> None:
    if isinstance(cell, date):
        sheet.write_datetime(row, column, cell, day)
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell)
    elif cell:
        sheet.write_string(row, column, cell)
