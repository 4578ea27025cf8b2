"""The rows of a report: sorted, in pages, with totals; or all of them, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, func, select

from lms.core.db import db, portions
from lms.core.pagination import Page
from lms.reports.base import Column, Filters, Report, RowValues, Statement

PAGE_SIZE = 50
_CHUNK = 500  # rows fetched at once while exporting


@dataclass(frozen=True)
class Sort:
    """The column by which rows are sorted; empty: the report's own order."""

    column: str = ""
    is_descending: bool = False


@dataclass(frozen=True)
class Total:
    """Sums over all rows, not only those of the page.

    currency: of the money in them, None in reports without money of several currencies.
    """

    currency: str | None
    values: RowValues


@dataclass(frozen=True)
class Table:
    """One page of a report."""

    columns: Sequence[Column]
    page: Page[RowValues]
    totals: Sequence[Total]
    sort: Sort


def read_table(
    report: Report,
    filters: Filters,
    sort: Sort | None = None,
    number: int = 1,
    size: int = PAGE_SIZE,
) -> Table:
    """A page of rows and the totals of all: two queries for a list, one for other reports."""
    columns = report.columns(filters)
    sort = _known_sort(columns, sort)
    if report.is_list:
        count, totals = _totals(columns, report.counted(filters).subquery("counted"))
        number = min(max(1, number), max(1, -(-count // size)))
        page = _sorted(report, filters, sort).limit(size).offset((number - 1) * size)
        items = [dict(row) for row in db.session.execute(page).mappings()]
        return Table(columns, Page(items, number, size, count), totals, sort)
    rows = [dict(row) for row in db.session.execute(_sorted(report, filters, sort)).mappings()]
    number = min(max(1, number), max(1, -(-len(rows) // size)))
    items = rows[(number - 1) * size : number * size]
    return Table(columns, Page(items, number, size, len(rows)), _sums(columns, rows), sort)


def each_row(report: Report, filters: Filters, sort: Sort | None = None) -> Iterator[RowValues]:
    """All rows in order; the database hands them over in portions."""
    statement = _sorted(report, filters, _known_sort(report.columns(filters), sort))
    yield from portions(statement, _CHUNK).mappings()


def read_totals(report: Report, filters: Filters) -> Sequence[Total]:
    """The totals alone."""
    return _totals(report.columns(filters), report.counted(filters).subquery("counted"))[1]


def _known_sort(columns: Sequence[Column], sort: Sort | None) -> Sort:
    names = {column.name for column in columns}
    return sort if sort is not None and sort.column in names else Sort()


def _sorted(report: Report, filters: Filters, sort: Sort) -> Statement:
    columns = report.columns(filters)
    rows = report.statement(filters).subquery("report")
    shares = {column.name: _share(column, rows) for column in columns if column.of}
    found = select(rows, *(share.label(name) for name, share in shares.items()))
    order: list[ColumnElement[Any]] = []
    if sort.column:
        by = shares.get(sort.column)
        by = rows.c[sort.column] if by is None else by
        order.append(by.desc().nulls_last() if sort.is_descending else by.asc().nulls_last())
    for name in report.order:
        column = rows.c[name.removeprefix("-")]
        by = column.desc() if name.startswith("-") else column.asc()
        order.append(by if column.name in report.never_empty else by.nulls_last())
    return found.order_by(*order)


def _share(column: Column, rows: Subquery) -> ColumnElement[Any]:
    assert column.of is not None
    part, whole = (rows.c[name] for name in column.of)
    return case((whole > 0, part * 1.0 / whole))


def has_own_currencies(columns: Sequence[Column]) -> bool:
    """Whether each row of the report has its own currency."""
    return any(column.kind == "money" and column.currency is None for column in columns)


def _totals(columns: Sequence[Column], rows: Subquery) -> tuple[int, list[Total]]:
    summed = [column for column in columns if column.has_total]
    sums = [func.coalesce(func.sum(rows.c[c.name]), 0).label(c.name) for c in summed]
    by_currency = has_own_currencies(columns)
    lines = func.sum(rows.c.lines) if "lines" in rows.c else func.count()
    counted = select(lines.label("_count"), *sums)
    if by_currency:
        money = rows.c.currency
        counted = counted.add_columns(money.label("currency")).group_by(money).order_by(money)
    found = db.session.execute(counted.select_from(rows)).mappings().all()
    count = sum(int(row["_count"] or 0) for row in found)
    if not summed or not count:
        return count, []
    return count, [
        Total(row["currency"] if by_currency else None, _with_shares(columns, row)) for row in found
    ]


def _sums(columns: Sequence[Column], rows: Sequence[RowValues]) -> list[Total]:
    """What `_totals` finds, of rows that are here already."""
    summed = [column.name for column in columns if column.has_total]
    if not summed:
        return []
    by_currency = has_own_currencies(columns)
    sums: dict[str | None, dict[str, int]] = {}
    for row in rows:
        of = sums.setdefault(row["currency"] if by_currency else None, dict.fromkeys(summed, 0))
        for name in summed:
            of[name] += int(row[name] or 0)
    return [
        Total(currency, _with_shares(columns, sums[currency]))
        for currency in sorted(sums, key=lambda code: code or "")
    ]


def _with_shares(columns: Sequence[Column], row: RowValues) -> RowValues:
    values = {name: int(value) for name, value in row.items() if name not in ("_count", "currency")}
    shares: dict[str, float] = {}
    for column in columns:
        part, whole = column.of or ("", "")
        if values.get(whole) and part in values:
            shares[column.name] = values[part] / values[whole]
    return values | shares
