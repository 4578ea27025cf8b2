"""How far learners came beside the money: enrolled, started, each week, completed, certified."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from flask_babel import lazy_gettext
from sqlalchemy import case, func, select

from lms.certificates.models import Credential
from lms.courses.models import Course, CourseRun
from lms.courses.reports import COURSE, RUN, CompletionsByRun
from lms.recovery.permissions import READ
from lms.recovery.queries import money
from lms.recovery.queries.money import Wanted
from lms.recovery.reports.shared import CURRENCY, ENTRIES, known
from lms.reports.base import Column, Figure, Filters, Report, RowValues, Statement, report_url

CERTIFIED = Column("certified", lazy_gettext("Certified"), "number", has_total=True)


class LearnersAndMoney(CompletionsByRun):
    """Each run from enrolled to certified, and what was invoiced for it."""

    name = "recovery-learners"
    label = lazy_gettext("Learners and money by course run")
    description = lazy_gettext(
        "How far the learners of each course run came, and what was invoiced, in all and for each"
        " of them."
    )
    permission = READ
    period_of = lazy_gettext(
        "Learners are those who enrolled in the period; money is all that was invoiced for their"
        " run."
    )
    selections = (COURSE, RUN, CURRENCY)
    is_on_overview = False
    overview_table = ""

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The steps, and two columns for each currency."""
        codes = self._currencies(filters)
        sold = [
            Column(f"sold_{code}", lazy_gettext("Invoiced"), "money", has_total=True, currency=code)
            for code in codes
        ]
        each = [
            Column(f"each_{code}", lazy_gettext("For each learner"), "money", currency=code)
            for code in codes
        ]
        return [*super().columns(filters), CERTIFIED, *sold, *each]

    def _currencies(self, filters: Filters) -> list[str]:
        chosen = filters.get("currency")
        return [chosen] if chosen else filters.once("currencies", lambda: known("currency"))

    def statement(self, filters: Filters) -> Statement:
        """The steps of each run with its certificates and its money."""
        people = super().statement(filters).subquery("people")
        codes = self._currencies(filters)
        only = Wanted(run_id=filters.number("run"), course_id=filters.number("course"))
        sums = money.list_money(["product"], only, ["invoiced"]).subquery("sums")
        sold = (
            select(
                sums.c.product,
                *(
                    func.sum(case((sums.c.currency == code, sums.c.invoiced))).label(f"sold_{code}")
                    for code in codes
                ),
            )
            .group_by(sums.c.product)
            .subquery("sold")
        )
        certified = (
            select(Credential.run_id, func.count().label("certified"))
            .where(Credential.revision == 1)
            .group_by(Credential.run_id)
            .subquery("certified")
        )
        each = [
            (sold.c[f"sold_{code}"] / func.nullif(people.c.enrolled, 0)).label(f"each_{code}")
            for code in codes
        ]
        return (
            select(
                people,
                func.coalesce(certified.c.certified, 0).label("certified"),
                *(sold.c[f"sold_{code}"] for code in codes),
                *each,
            )
            .select_from(people)
            .join(CourseRun, CourseRun.id == people.c.run_id)
            .join(Course, Course.id == CourseRun.course_id)
            .outerjoin(sold, money.run_of(sold.c.product) == people.c.run_id)
            .outerjoin(certified, certified.c.run_id == people.c.run_id)
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The learners, the certificates or the entries behind a figure."""
        if column.name == "certified":
            return url_for("certificates.of_run", run_id=row["run_id"])
        if column.name.startswith("sold_"):
            behind = Filters(filters.user, filters.time_zone, filters.language).narrowed(
                course=row["course_id"],
                run=row["run_id"],
                currency=column.currency,
                measure="invoiced",
            )
            return report_url(ENTRIES, behind)
        return None if column.currency else super().link(column, row, filters)

    def figures(self, filters: Filters) -> Sequence[Figure]:
        """None: the steps say it."""
        return ()


REPORTS: list[Report] = [LearnersAndMoney()]
