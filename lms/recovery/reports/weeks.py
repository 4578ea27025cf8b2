"""What was earned week by week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, Date, cast, func, select, type_coerce

from lms.core.db import db
from lms.recovery.queries import money
from lms.recovery.reports.money import MoneyReport
from lms.recovery.reports.shared import COLUMNS, MEASURE_LABELS, wanted_days, with_runs
from lms.reports.base import Column, Filters, Report, RowValues, Statement


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
        found = money.list_lines(wanted_days(filters), "earned", is_rare=True)
        lines = found.subquery("lines")
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
        return with_runs(groups, filters, groups.c.product)

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The days of the week, within the run."""
        return filters.narrowed(
            row["week"], row["week"] + timedelta(days=6),
            currency=row["currency"], course=row["course"], run=row["run"],
        )  # fmt: skip

    def lines_behind(self, row: RowValues, filters: Filters) -> Filters:
        """To the day."""
        return self.behind(row, filters)


REPORTS: list[Report] = [EarnedByWeek()]
