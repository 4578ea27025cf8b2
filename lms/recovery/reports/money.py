"""Invoiced, earned and collected side by side, by each dimension of the ledger.

They come from the ledger's sums, in the months for which its entries count. The revenue reports of
payments tell another thing: what came in and went back, on the reader's own days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Subquery, func, select

from lms.core.db import db
from lms.core.money import Money
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
    whole_months,
    with_runs,
)
from lms.reports.base import (
    Chart,
    Column,
    Filters,
    Report,
    RowValues,
    Statement,
    report_url,
)
from lms.reports.charts import month_chart
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
        found: dict[str, dict[date, RowValues]] = defaultdict(dict)
        for row in db.session.execute(self.statement(filters)).mappings():
            found[row["currency"]][date.fromisoformat(row["month"])] = row
        if not found:
            return []
        currency = max(sorted(found), key=lambda code: len(found[code]))
        rows = found[currency]
        months = months_of(min(rows), max(rows))
        return [
            month_chart(
                str(label),
                {month: Money(int(row[name]), currency) for month, row in rows.items()},
                months,
                currency,
            )
            for name, label in MEASURE_LABELS.items()
        ]


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
