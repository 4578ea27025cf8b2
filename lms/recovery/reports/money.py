"""Invoiced, earned and collected side by side, by each dimension of the ledger.

They come from the ledger's sums, in the months for which its entries count. The revenue reports of
payments tell another thing: what came in and went back, on the reader's own days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import ClassVar

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, Date, Subquery, cast, func, select, type_coerce

from lms.core.db import db
from lms.core.money import Money
from lms.core.templating import format_day, format_number
from lms.courses.models import Course, CourseRun
from lms.courses.reports import COURSE, RUN, title_in
from lms.ledger.kinds import ENTRY_KINDS
from lms.recovery.permissions import READ
from lms.recovery.queries import money
from lms.recovery.reports.shared import (
    COLUMNS,
    COUNTRY,
    CURRENCY,
    MEASURE,
    MEASURE_LABELS,
    NONE,
    PERIOD_OF,
    RAIL,
    country_words,
    rail_words,
    wanted,
    wanted_days,
    whole_months,
)
from lms.reports.base import (
    Chart,
    ChartItem,
    Column,
    Filters,
    Report,
    RowValues,
    Statement,
    report_url,
)
from lms.reports.periods import last_day, months_of


class MoneyReport(Report):
    """The three figures by one dimension and by currency; each leads to its entries."""

    permission = READ
    selections = (COURSE, RUN, COUNTRY, CURRENCY, RAIL)
    period_of = PERIOD_OF
    dimension: ClassVar[str]
    head: ClassVar[Column]

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The dimension and its figures."""
        return [self.head, *COLUMNS]

    def groups(self, filters: Filters, by: str | None = None) -> Subquery:
        """The figures by a dimension and currency."""
        return money.list_money([by or self.dimension], wanted(filters)).subquery("groups")

    def statement(self, filters: Filters) -> Statement:
        """The figures of the dimension as they are."""
        return select(self.groups(filters))

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The filters for what lies behind a row."""
        return filters.narrowed(currency=row["currency"], **{self.head.name: row[self.head.name]})

    def lines_behind(self, row: RowValues, filters: Filters) -> Filters:
        """The filters for the entries behind a row."""
        return whole_months(self.behind(row, filters))

    def detail(self) -> str:
        """The report to which the first cell of a row leads."""
        return MoneyLines.name

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The entries behind a figure; another report behind the group."""
        if column.name in MEASURE_LABELS:
            behind = self.lines_behind(row, filters).narrowed(measure=column.name)
            return report_url(MoneyLines.name, behind)
        if column.name == self.head.name:
            return report_url(self.detail(), self.behind(row, filters))
        return None


class MoneyByMonth(MoneyReport):
    """The three figures month by month."""

    name = "recovery-by-month"
    label = lazy_gettext("Invoiced, earned, collected by month")
    description = lazy_gettext(
        "What was invoiced, what was earned by teaching, and what money came in, side by side."
    )
    order = ("-month", "currency")
    head = Column("month", lazy_gettext("Month"), "month")

    def statement(self, filters: Filters) -> Statement:
        """The figures by month."""
        groups = self.groups(filters, "month")
        others = [column for column in groups.c if column.name != "month"]
        return select((groups.c.month + "-01").label("month"), *others)

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, within the month."""
        month = date.fromisoformat(row["month"])
        return filters.narrowed(month, last_day(month), currency=row["currency"])

    def detail(self) -> str:
        """A month leads to its course runs."""
        return MoneyByRun.name

    def charts(self, filters: Filters) -> Sequence[Chart]:
        """A chart for each figure, in the chosen currency or that of most rows."""
        rows = db.session.execute(self.statement(filters)).mappings().all()
        if not rows:
            return []
        found: dict[str, dict[str, RowValues]] = defaultdict(dict)
        for row in rows:
            found[row["currency"]][row["month"]] = row
        currency = max(sorted(found), key=lambda code: len(found[code]))
        days = sorted(date.fromisoformat(month) for month in found[currency])
        months = months_of(days[0], days[-1])
        return [
            self._chart(
                str(label), currency, [(m, _minor(found[currency], m, name)) for m in months]
            )
            for name, label in MEASURE_LABELS.items()
        ]

    def _chart(self, title: str, currency: str, amounts: Sequence[tuple[date, int]]) -> Chart:
        items, months = [], [month for month, _minor in amounts]
        for month, minor in amounts:
            amount = Money(minor, currency)
            text = f"{currency} {format_number(float(round(amount.decimal)))}"
            label = format_day(month, "MMM" if len(months) <= 12 else "yMMM")
            items.append(ChartItem(label, float(amount.decimal), text))
        description = _(
            "One bar for each month from %(first)s to %(last)s.",
            first=format_day(months[0], "yMMM"),
            last=format_day(months[-1], "yMMM"),
        )
        return Chart(title, description, items, unit=currency)


def _minor(rows: dict[str, RowValues], month: date, name: str) -> int:
    row = rows.get(month.isoformat())
    return int(row[name]) if row else 0


class MoneyByCourse(MoneyReport):
    """The three figures course by course."""

    name = "recovery-by-course"
    label = lazy_gettext("Invoiced, earned, collected by course")
    description = lazy_gettext("The same figures for each course.")
    order = ("title", "course", "currency")
    head = Column("title", lazy_gettext("Course"), words=lambda text: text or _("Not of a course"))

    def statement(self, filters: Filters) -> Statement:
        """The figures of all runs of a course together."""
        groups = self.groups(filters, "product")
        course = CourseRun.course_id.label("course")
        by_course = (
            select(
                course,
                groups.c.currency,
                *(func.sum(groups.c[name]).label(name) for name in money.MEASURES),
            )
            .select_from(groups)
            .outerjoin(CourseRun, money.product_of_run() == groups.c.product)
            .group_by(course, groups.c.currency)
            .subquery("by_course")
        )
        title = func.coalesce(title_in(filters.language), "").label("title")
        return select(by_course, title).outerjoin(Course, Course.id == by_course.c.course)

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, within the course."""
        return filters.narrowed(currency=row["currency"], course=row["course"])

    def detail(self) -> str:
        """A course leads to its runs."""
        return MoneyByRun.name


class MoneyByRun(MoneyReport):
    """The three figures course run by course run."""

    name = "recovery-by-run"
    label = lazy_gettext("Invoiced, earned, collected by course run")
    description = lazy_gettext("The same figures for each course run.")
    order = ("-starts_on", "title", "run", "currency")
    head = Column(
        "title", lazy_gettext("Course run"), words=lambda text: text or _("Not of a course")
    )

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The run, when it begins, and its figures."""
        return [self.head, Column("starts_on", lazy_gettext("Begins"), "date"), *COLUMNS]

    def statement(self, filters: Filters) -> Statement:
        """The figures by run."""
        groups = self.groups(filters, "product")
        return (
            select(
                groups,
                func.coalesce(title_in(filters.language), "").label("title"),
                CourseRun.starts_on,
                CourseRun.id.label("run"),
                CourseRun.course_id.label("course"),
            )
            .select_from(groups)
            .outerjoin(CourseRun, money.product_of_run() == groups.c.product)
            .outerjoin(Course, Course.id == CourseRun.course_id)
        )

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, within the run."""
        return filters.narrowed(currency=row["currency"], course=row["course"], run=row["run"])


class MoneyByCountry(MoneyReport):
    """The three figures by the buyers' countries."""

    name = "recovery-by-country"
    label = lazy_gettext("Invoiced, earned, collected by country")
    description = lazy_gettext("The same figures for each country in which buyers live.")
    order = ("country", "currency")
    dimension = "country"
    head = Column("country", lazy_gettext("Country"), words=country_words)

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, within the country."""
        return filters.narrowed(currency=row["currency"], country=row["country"] or NONE)


class MoneyByRail(MoneyReport):
    """The three figures by way to pay."""

    name = "recovery-by-rail"
    label = lazy_gettext("Invoiced, earned, collected by way to pay")
    description = lazy_gettext("The same figures for each way to pay.")
    order = ("rail", "currency")
    dimension = "rail"
    head = Column("rail", lazy_gettext("Way to pay"), words=rail_words)

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, for this way to pay."""
        return filters.narrowed(currency=row["currency"], rail=row["rail"] or NONE)


class MoneyByCurrency(MoneyReport):
    """One line for each currency."""

    name = "recovery-by-currency"
    label = lazy_gettext("Invoiced, earned, collected by currency")
    description = lazy_gettext("One line for each currency; currencies are never added.")
    order = ("currency",)
    head = Column("currency", lazy_gettext("Currency"))

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The currency and its figures."""
        return [self.head, *COLUMNS[1:]]

    def statement(self, filters: Filters) -> Statement:
        """The figures by currency alone."""
        return money.list_money([], wanted(filters))

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, in this currency."""
        return filters.narrowed(currency=row["currency"])

    def detail(self) -> str:
        """A currency leads to its months."""
        return MoneyByMonth.name


def _monday(day: ColumnElement[date]) -> ColumnElement[date]:
    """The first day of the week of a day, on either database."""
    if db.session.get_bind().dialect.name == "sqlite":
        return type_coerce(func.date(day, "weekday 0", "-6 days"), Date())
    return cast(func.date_trunc("week", day), Date)


class EarnedByWeek(MoneyReport):
    """What was earned week by week, course run by course run."""

    name = "recovery-by-week"
    label = lazy_gettext("Earned week by week")
    description = lazy_gettext(
        "What the weeks that were taught earned, less what was earned and given back."
    )
    order = ("-week", "title", "run", "currency")
    head = Column("week", lazy_gettext("Week from"), "date")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The week, the run and what was earned."""
        return [
            self.head,
            Column("title", lazy_gettext("Course run")),
            COLUMNS[0],
            Column("earned", MEASURE_LABELS["earned"], "money", has_total=True),
        ]

    def statement(self, filters: Filters) -> Statement:
        """The postings to what was earned, by week and run."""
        lines = money.list_lines(wanted_days(filters), "earned").subquery("lines")
        week = _monday(lines.c.day).label("week")
        dated = select(lines.c.product, lines.c.currency, lines.c.earned, week).subquery("dated")
        groups = (
            select(
                dated.c.week,
                dated.c.product,
                dated.c.currency,
                func.sum(dated.c.earned).label("earned"),
            )
            .group_by(dated.c.week, dated.c.product, dated.c.currency)
            .subquery("groups")
        )
        return (
            select(
                groups,
                func.coalesce(title_in(filters.language), groups.c.product).label("title"),
                CourseRun.id.label("run"),
                CourseRun.course_id.label("course"),
            )
            .select_from(groups)
            .outerjoin(CourseRun, money.product_of_run() == groups.c.product)
            .outerjoin(Course, Course.id == CourseRun.course_id)
        )

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The days of the week, within the run."""
        return filters.narrowed(
            row["week"], row["week"] + timedelta(days=6),
            currency=row["currency"], course=row["course"], run=row["run"],
        )  # fmt: skip

    def lines_behind(self, row: RowValues, filters: Filters) -> Filters:
        """To the day."""
        return self.behind(row, filters)


class MoneyLines(Report):
    """The entries behind every figure of this room."""

    name = "recovery-entries"
    label = lazy_gettext("Entries behind invoiced, earned and collected")
    description = lazy_gettext("Each entry of the ledger that a figure is made of, with its order.")
    permission = READ
    period_of = PERIOD_OF
    selections = (COURSE, RUN, COUNTRY, CURRENCY, RAIL, MEASURE)
    order = ("-day", "-posting_id")
    is_list = True

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The day, what happened, the order, and the figures."""
        return [
            Column("day", lazy_gettext("Counts for"), "date"),
            Column("entry_kind", lazy_gettext("Entry"), words=lambda k: str(ENTRY_KINDS.get(k, k))),
            Column("number", lazy_gettext("Order")),
            Column("title", lazy_gettext("Course run")),
            Column("country", lazy_gettext("Country"), words=country_words),
            Column("rail", lazy_gettext("Way to pay"), words=rail_words),
            *COLUMNS,
        ]

    def counted(self, filters: Filters) -> Statement:
        """The lines alone."""
        return money.list_lines(wanted_days(filters), filters.get("measure"))

    def statement(self, filters: Filters) -> Statement:
        """The lines, with the words of what they are about."""
        lines = self.counted(filters).subquery("lines")
        number = func.replace(lines.c.about, "order:", "").label("number")
        return (
            select(lines, number, func.coalesce(title_in(filters.language), "").label("title"))
            .select_from(lines)
            .outerjoin(CourseRun, money.product_of_run() == lines.c.product)
            .outerjoin(Course, Course.id == CourseRun.course_id)
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The order, or all entries of its course run in the ledger."""
        if column.name == "number" and row["number"]:
            return url_for("payments.admin_orders", q=row["number"])
        if column.name == "entry_kind":
            name = "about" if row["about"] else "product"
            return url_for("ledger.entries", **{name: row[name]})
        return None


REPORTS: list[Report] = [
    MoneyByMonth(),
    MoneyByCourse(),
    MoneyByRun(),
    MoneyByCountry(),
    MoneyByCurrency(),
    MoneyByRail(),
    EarnedByWeek(),
    MoneyLines(),
]
