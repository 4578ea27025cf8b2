"""Invoiced, earned, collected: from the ledger's sums, each currency for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Select, String, case, cast, func, literal, select, union_all

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.ledger.queries import movements
from lms.recovery.queries.measures import ALL_MEASURES, MEASURES, Column, Counted

RUN = "run:"

Rows: TypeAlias = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Wanted:
    """Which money. first, last: months, "2027-02", both included; None is all.

    since, until: days, for lines alone. country and rail: "" for what has none.
    """

    first: str | None = None
    last: str | None = None
    country: str | None = None
    currency: str | None = None
    rail: str | None = None
    run_id: int | None = None
    course_id: int | None = None
    since: date | None = None
    until: date | None = None

    def conditions(
        self, month: Column, country: Column, currency: Column, rail: Column, product: Column
    ) -> list[Column]:
        """The same as conditions on columns of the ledger or of its sums."""
        found: list[Column] = []
        if self.first is not None:
            found.append(month >= self.first)
        if self.last is not None:
            found.append(month <= self.last)
        pairs = ((country, self.country), (currency, self.currency), (rail, self.rail))
        found += [column == value for column, value in pairs if value is not None]
        if self.run_id is not None:
            found.append(product == run_product(self.run_id))
        if self.course_id is not None:
            runs = select(product_of_run()).where(CourseRun.course_id == self.course_id)
            found.append(product.in_(runs))
        return found


def run_product(run_id: int) -> str:
    """How the ledger names a course run."""
    return f"{RUN}{run_id}"


def product_of_run() -> Column:
    """The same as a column of SQL."""
    return literal(RUN) + cast(CourseRun.id, String)


def run_of(product: Column) -> Column:
    """The id of the course run that a product of the ledger is; NULL of another product."""
    number = cast(func.substr(product, len(RUN) + 1), BigInteger)
    return case((func.substr(product, 1, len(RUN)) == RUN, number))


def month_of(day: date | None) -> str | None:
    """The ledger's name of the month of a day."""
    return f"{day:%Y-%m}" if day else None


def list_money(
    by: Sequence[str],
    wanted: Wanted,
    measures: Sequence[str] = MEASURES,
    *,
    which: str | None = None,
    is_counted: bool = False,
) -> Rows:
    """The measures by dimensions of the ledger's sums and always by currency, without empty rows.

    by: of "month", "product", "country", "rail". which: only of postings of this measure.
    is_counted: with a column `lines` that says of how many postings.
    """
    lines = movements()
    columns = [lines.c[name] for name in by]
    more = lines.c.debit_minor - lines.c.credit_minor
    counted = Counted(lines.c.account, lines.c.kind, more, measures)
    where = wanted.conditions(
        lines.c.month, lines.c.country, lines.c.currency, lines.c.rail, lines.c.product
    )
    return (
        select(
            *columns,
            lines.c.currency,
            *(func.coalesce(func.sum(value), 0).label(value.name) for value in counted.values()),
            *([func.sum(lines.c.postings).label("lines")] if is_counted else []),
        )
        .where(counted.belongs([which] if which else None), *where)
        .group_by(*columns, lines.c.currency)
    )


def list_lines(wanted: Wanted, measure: str | None = None, *, is_rare: bool = False) -> Rows:
    """The postings behind the figures, one row each, with what each adds to which measure.

    is_rare: they are few among all entries, so that their accounts find them sooner than days do;
    no index has the columns by which days are asked then.
    """
    counted = Counted(
        LedgerPosting.account.expression,
        LedgerEntry.kind.expression,
        LedgerPosting.amount_minor.expression,
    )
    day: Column = LedgerEntry.effective_on.expression
    month: Column = LedgerEntry.month.expression
    if is_rare and db.engine.dialect.name == "sqlite":  # PostgreSQL counts how rare they are
        day, month = func.coalesce(day, day), func.coalesce(month, month)
    days: list[Column] = [day >= wanted.since] if wanted.since else []
    if wanted.until is not None:
        days.append(day <= wanted.until)
    lines: Rows = (
        select(
            LedgerPosting.id.label("posting_id"),
            LedgerEntry.effective_on.label("day"),
            LedgerEntry.kind.label("entry_kind"),
            LedgerEntry.about,
            LedgerEntry.product,
            LedgerEntry.country,
            LedgerEntry.rail,
            LedgerPosting.currency,
            *counted.values(),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            counted.belongs([measure] if measure in ALL_MEASURES else None),
            *days,
            *wanted.conditions(
                month,
                LedgerEntry.country.expression,
                LedgerPosting.currency.expression,
                LedgerEntry.rail.expression,
                LedgerEntry.product.expression,
            ),
        )
    )
    return lines


def sums_of_lines(wanted: Wanted, measure: str | None = None) -> Rows:
    """What `list_lines` sums to by currency, and in `lines` how many rows it has.

    Whole months come from the ledger's sums; entries are read for a month that is cut alone.
    """
    known = measure if measure in ALL_MEASURES else None
    if wanted.until is not None and wanted.until >= clock.now().date():
        latest = db.session.scalar(select(func.max(LedgerEntry.effective_on)))
        if latest is None or latest <= wanted.until:  # so its month is not cut
            wanted = replace(wanted, until=None, last=None)
    parts = [list_money([], _whole_months(wanted), which=known, is_counted=True)]
    for edge in _cut_months(wanted):
        lines = list_lines(edge, measure).subquery()
        values = [func.sum(lines.c[name]).label(name) for name in MEASURES]
        cut = select(lines.c.currency, *values, func.count().label("lines"))
        parts.append(cut.group_by(lines.c.currency))
    found = union_all(*parts).subquery("parts")
    return select(
        found.c.currency, *(func.sum(found.c[name]).label(name) for name in (*MEASURES, "lines"))
    ).group_by(found.c.currency)


def _whole_months(wanted: Wanted) -> Wanted:
    """The part of the period that is made of whole months."""
    first, last = month_of(wanted.since), month_of(wanted.until)
    if wanted.since is not None and wanted.since.day > 1:
        first = month_of(_following_month(wanted.since))
    if wanted.until is not None and _following_day(wanted.until).day > 1:
        last = month_of(wanted.until.replace(day=1) - timedelta(days=1))
    return replace(wanted, first=first, last=last, since=None, until=None)


def _cut_months(wanted: Wanted) -> list[Wanted]:
    """The parts of the period at its ends that are no whole months."""
    since, until = wanted.since, wanted.until
    if since and until and until < since:
        return []
    ends: list[tuple[date | None, date | None]] = []
    if since is not None and since.day > 1:
        ends.append((since, _following_month(since) - timedelta(days=1)))
    if until is not None and _following_day(until).day > 1:
        ends.append((until.replace(day=1), until))
    if ends and month_of(since) == month_of(until):
        ends = [(since, until)]
    return [replace(wanted, since=a, until=b, first=None, last=None) for a, b in ends]


def _following_day(day: date) -> date:
    return day + timedelta(days=1)


def _following_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True)
class MonthMoney:
    """One month in one currency."""

    month: str
    currency: str
    invoiced: Money
    earned: Money
    collected: Money
    given_back: Money


def money_of_months(first: str, last: str) -> list[MonthMoney]:
    """The money of some months, the latest first."""
    names = (*MEASURES, "given_back")
    statement = list_money(["month"], Wanted(first=first, last=last), names)
    rows = db.session.execute(statement).mappings()
    found = [
        MonthMoney(
            row["month"],
            row["currency"],
            *(Money(int(row[name]), row["currency"]) for name in names),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.month, one.currency))
