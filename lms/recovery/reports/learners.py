"""How far learners came beside the money: enrolled, started, each week, completed, certified."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from flask_babel import lazy_gettext
from sqlalchemy import Subquery, case, func, or_, select

from lms.certificates.models import Credential
from lms.courses.models import Course, CourseRun
from lms.courses.reports import (
    COMPLETED,
    COURSE,
    ENROLLED,
    RATE,
    RUN,
    STARTED,
    CompletionsByRun,
    title_in,
)
from lms.ledger.queries import known
from lms.recovery.permissions import READ
from lms.recovery.queries import money
from lms.recovery.queries.money import Wanted
from lms.recovery.reports.shared import (
    CURRENCY,
    ENTRIES,
    MEASURE_LABELS,
    wanted,
    whole_months,
)
from lms.reports.base import Column, Figure, Filters, Report, RowValues, Statement, report_url

CERTIFIED = Column("certified", lazy_gettext("Certified"), "number", has_total=True)


def _by_run(measure: str, codes: Sequence[str], only: Wanted) -> Subquery:
    """A measure of the ledger by run, with a column for each currency: `CAD`."""
    sums = money.list_money(["product"], only, [measure]).subquery("sums")
    run_id = money.run_of(sums.c.product).label("run_id")
    values = (
        func.sum(case((sums.c.currency == code, sums.c[measure]))).label(code) for code in codes
    )
    return select(run_id, *values).group_by(run_id).subquery("money")


class RunResults(CompletionsByRun):
    """Course runs with completions and what was collected side by side: the first page has it."""

    name = "run-results"
    label = lazy_gettext("Course runs")
    description = lazy_gettext("Enrolled, completed and collected of each course run.")
    permission = READ
    period_of = lazy_gettext(
        "Completions are those of the people who enrolled in the period; money is what was"
        " collected in its months."
    )
    selections = (COURSE, RUN, CURRENCY)
    is_on_overview = False

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The run, its completions and one column for each currency."""
        label = MEASURE_LABELS["collected"]
        collected = [
            Column(f"collected_{code}", label, "money", has_total=True, currency=code)
            for code in self.currencies(filters)
        ]
        return [*self.run_columns(), ENROLLED, STARTED, COMPLETED, RATE, *collected]

    def currencies(self, filters: Filters) -> list[str]:
        """The chosen one, or all that the ledger knows."""
        chosen = filters.get("currency")
        return [chosen] if chosen else known("currency")

    def statement(self, filters: Filters) -> Statement:
        """The runs in which somebody enrolled or for which money moved."""
        people = self.groups(filters)
        codes = self.currencies(filters)
        paid = _by_run("collected", codes, wanted(filters))
        counts = ("enrolled", "started", "completed")
        return (
            select(
                CourseRun.id.label("run_id"),
                CourseRun.course_id,
                CourseRun.starts_on,
                title_in(filters.language).label("course"),
                *(func.coalesce(people.c[name], 0).label(name) for name in counts),
                *(paid.c[code].label(f"collected_{code}") for code in codes),
            )
            .join(Course, Course.id == CourseRun.course_id)
            .outerjoin(people, people.c.run_id == CourseRun.id)
            .outerjoin(paid, paid.c.run_id == CourseRun.id)
            .where(or_(people.c.run_id.is_not(None), paid.c.run_id.is_not(None)))
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The learners or the entries behind a figure."""
        if column.currency is None:
            return super().link(column, row, filters)
        behind = whole_months(filters).narrowed(
            course=row["course_id"],
            run=row["run_id"],
            currency=column.currency,
            measure="collected",
        )
        return report_url(ENTRIES, behind)


class LearnersAndMoney(RunResults):
    """Each run from enrolled to certified, and what was invoiced for it."""

    name = "recovery-learners"
    label = lazy_gettext("Learners and money by course run")
    description = lazy_gettext(
        "How far the learners of each course run came, and what was invoiced, in all and for each"
        " of them."
    )
    period_of = lazy_gettext(
        "Learners are those who enrolled in the period; money is all that was invoiced for their"
        " run."
    )
    overview_table = ""

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The steps, and two columns for each currency."""
        codes = self.currencies(filters)
        sold = [
            Column(f"sold_{code}", lazy_gettext("Invoiced"), "money", has_total=True, currency=code)
            for code in codes
        ]
        each = [
            Column(f"each_{code}", lazy_gettext("For each learner"), "money", currency=code)
            for code in codes
        ]
        return [*CompletionsByRun.columns(self, filters), CERTIFIED, *sold, *each]

    def statement(self, filters: Filters) -> Statement:
        """The steps of each run with its certificates and its money."""
        people = CompletionsByRun.statement(self, filters).subquery("people")
        codes = self.currencies(filters)
        only = Wanted(run_id=filters.number("run"), course_id=filters.number("course"))
        sold = _by_run("invoiced", codes, only)
        certified = (
            select(Credential.run_id, func.count().label("certified"))
            .where(Credential.revision == 1)
            .group_by(Credential.run_id)
            .subquery("certified")
        )
        each = [
            (sold.c[code] / func.nullif(people.c.enrolled, 0)).label(f"each_{code}")
            for code in codes
        ]
        return (
            select(
                people,
                func.coalesce(certified.c.certified, 0).label("certified"),
                *(sold.c[code].label(f"sold_{code}") for code in codes),
                *each,
            )
            .select_from(people)
            .join(CourseRun, CourseRun.id == people.c.run_id)
            .join(Course, Course.id == CourseRun.course_id)
            .outerjoin(sold, sold.c.run_id == people.c.run_id)
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
        return None if column.currency else CompletionsByRun.link(self, column, row, filters)

    def figures(self, filters: Filters) -> Sequence[Figure]:
        """None: the steps say it."""
        return ()


REPORTS: list[Report] = [RunResults(), LearnersAndMoney()]
