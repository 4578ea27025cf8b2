"""Invoiced, earned and collected side by side, by each dimension of the ledger.

They come from the ledger's sums, in the months for which its entries count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Subquery, func, select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.templating import format_percent
from lms.courses.models import Course, CourseRun
from lms.courses.reports import COURSE, RUN, title_in
from lms.recovery.permissions import READ
from lms.recovery.queries import money
from lms.recovery.queries.measures import MEASURES
from lms.recovery.reports.shared import (
    COLUMNS,
    COUNTRY,
    CURRENCY,
    ENTRIES,
    MEASURE_LABELS,
    NONE,
    PERIOD_OF,
    RAIL,
    country_words,
    rail_words,
    wanted,
    wanted_days,
    whole_months,
    with_runs,
)
from lms.reports.base import (
    Chart,
    Column,
    Figure,
    Filters,
    Report,
    RowValues,
    Statement,
    Topic,
    report_url,
)
from lms.reports.charts import month_chart, whole_amount
from lms.reports.periods import last_day, months_of


class MoneyReport(Report):
    """The three figures by one dimension and by currency; each leads to its entries."""

    topic = Topic.MONEY
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
        return ENTRIES

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The entries behind a figure; another report behind the group."""
        if column.name in MEASURE_LABELS:
            behind = self.lines_behind(row, filters).narrowed(measure=column.name)
            return report_url(ENTRIES, behind)
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
    is_on_overview = True
    overview_order = 10
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

    def figures(self, filters: Filters) -> Sequence[Figure]:
        """What was collected in each currency, compared with the same days a year before."""
        found = collected(filters)
        if not found:
            return [Figure(MEASURE_LABELS["collected"], "0", _("Nothing was paid in this period."))]
        earlier = filters.a_year_before()
        before = collected(earlier) if earlier else {}
        return [
            Figure(
                MEASURE_LABELS["collected"],
                whole_amount(amount),
                _compared(amount, before.get(currency)),
                report_url(ENTRIES, filters.narrowed(currency=currency, measure="collected")),
            )
            for currency, amount in found.items()
        ]

    def charts(self, filters: Filters) -> Sequence[Chart]:
        """A chart for each figure, in the chosen currency or that of most entries."""
        return (
            [self._chart(filters, name, str(label)) for name, label in MEASURE_LABELS.items()]
            if self._months(filters)
            else []
        )

    def overview_charts(self, filters: Filters) -> Sequence[Chart]:
        """What was collected."""
        title = _("Collected by month")
        return [self._chart(filters, "collected", title)] if self._months(filters) else []

    def _months(self, filters: Filters) -> dict[date, RowValues]:
        """The rows of the currency that the charts show, by month."""

        def find() -> dict[date, RowValues]:
            statement = self.statement(filters)
            currency = filters.get("currency") or next(iter(collected(filters)), None)
            rows = db.session.execute(statement).mappings().all()
            shown = currency or max((row["currency"] for row in rows), default="")
            return {date.fromisoformat(r["month"]): r for r in rows if r["currency"] == shown}

        return filters.once("months", find)

    def _chart(self, filters: Filters, name: str, title: str) -> Chart:
        rows = self._months(filters)
        currency = next(iter(rows.values()))["currency"]
        first = min([*rows, *([filters.first] if filters.first else [])])
        this = clock.local_date(clock.now(), filters.time_zone).replace(day=1)
        return month_chart(
            title,
            {month: Money(int(row[name]), currency) for month, row in rows.items()},
            months_of(first, max([*rows, *([filters.last] if filters.last else [])])),
            currency,
            highlight=this,
        )


def collected(filters: Filters) -> dict[str, Money]:
    """What was collected in the days of the filters, the currency of most entries first."""

    def find() -> dict[str, Money]:
        rows = db.session.execute(money.sums_of_lines(wanted_days(filters), "collected")).all()
        rows = sorted(rows, key=lambda row: (-row.lines, row.currency))
        return {row.currency: Money(int(row.collected), row.currency) for row in rows}

    return filters.once("collected", find)


def _compared(amount: Money, before: Money | None) -> str | None:
    if before is None or before.minor <= 0:
        return None
    change = format_percent(amount.minor / before.minor - 1)
    sign = "+" if amount.minor >= before.minor else ""
    return str(_("%(change)s on the same days a year before", change=f"{sign}{change}"))


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
                *(func.sum(groups.c[name]).label(name) for name in MEASURES),
            )
            .select_from(groups)
            .outerjoin(CourseRun, CourseRun.id == money.run_of(groups.c.product))
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
        return with_runs(self.groups(filters, "product"), filters, "")

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


REPORTS: list[Report] = [
    MoneyByMonth(),
    MoneyByCourse(),
    MoneyByRun(),
    MoneyByCountry(),
    MoneyByCurrency(),
    MoneyByRail(),
]
