"""Who enrolled and how far they came: one by one, or summed, exact at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Subquery,
    case,
    exists,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from lms.accounts.models import User
from lms.core.rollups import (
    Rows,
    marked_runs,
    month_in_utc,
    signed,
    split_months,
    within,
)
from lms.courses.models import Activity, CourseRun, Enrolment, Module, Progress
from lms.courses.sum_models import EnrolmentMark, EnrolmentSum

Column: TypeAlias = ColumnElement[Any]

SUMMED_BY = ("run_id", "month", "country", "reached")
MEASURES = ("enrolled", "started", "completed")


@dataclass(frozen=True)
class Wanted:
    """Which enrolments. since, until: when they became active, the latter excluded; None is open.

    country: of the learner, "" for not known. courses: ids of the only courses that may be read.
    """

    since: datetime | None = None
    until: datetime | None = None
    course_id: int | None = None
    run_id: int | None = None
    country: str | None = None
    courses: Rows | None = None

    def on_runs(self, run: Column) -> list[Column]:
        """The conditions on the run, by its id."""
        found: list[Column] = []
        if self.run_id is not None:
            found.append(run == self.run_id)
        runs = select(CourseRun.id)
        if self.course_id is not None:
            found.append(run.in_(runs.where(CourseRun.course_id == self.course_id)))
        if self.courses is not None:
            found.append(run.in_(runs.where(CourseRun.course_id.in_(self.courses))))
        return found


def list_enrolments(wanted: Wanted, *, reached: bool = False, home: bool = False) -> Rows:
    """One row for each enrolment that became active in the period.

    reached: with how far it came; home: with the learner's country. Both cost time.
    """
    found: Rows = (
        select(
            Enrolment.id,
            Enrolment.run_id,
            Enrolment.user_id,
            Enrolment.state,
            Enrolment.enrolled_at,
            Enrolment.completed_at,
            Enrolment.last_seen_at,
            Enrolment.grade,
            CourseRun.course_id,
            CourseRun.starts_on,
            *([User.country] if home else []),
        )
        .join(CourseRun, CourseRun.id == Enrolment.run_id)
        .where(*_conditions(wanted))
    )
    if home or wanted.country is not None:
        found = found.join(User, User.id == Enrolment.user_id)
    return _with_reached(found) if reached else found


def _conditions(wanted: Wanted) -> list[Column]:
    enrolled_at: Column = Enrolment.enrolled_at.expression
    found = [enrolled_at.is_not(None), *wanted.on_runs(Enrolment.run_id.expression)]
    found += within(enrolled_at, wanted.since, wanted.until)
    if wanted.country is not None:
        found.append(func.coalesce(User.country, "") == wanted.country)
    return found


def _with_reached(found: Rows) -> Rows:
    """Adds `reached`: the position of the furthest module in which the learner opened something.

    None: nowhere. Who completed the course came to its end: that spares reading most of the
    progress. Joined, not asked for each row: several times faster for many on PostgreSQL.
    """
    last = (
        select(Module.course_id, func.max(Module.position).label("position"))
        .group_by(Module.course_id)
        .subquery("last")
    )
    studying = aliased(Enrolment)
    furthest = (
        select(Progress.enrolment_id, func.max(Module.position).label("position"))
        .join(Activity, Activity.id == Progress.activity_id)
        .join(Module, Module.id == Activity.module_id)
        .join(studying, studying.id == Progress.enrolment_id)
        .where(studying.completed_at.is_(None))
        .group_by(Progress.enrolment_id)
        .subquery("furthest")
    )
    reached = _reached(last.c.position, furthest.c.position)
    return (
        found.add_columns(reached.label("reached"))
        .outerjoin(last, last.c.course_id == CourseRun.course_id)
        .outerjoin(furthest, furthest.c.enrolment_id == Enrolment.id)
    )


def _reached(last: Any, furthest: Any) -> Column:
    return case(
        (Enrolment.last_seen_at.is_(None), None),
        (Enrolment.completed_at.is_not(None), last),
        else_=furthest,
    )


def _each(wanted: Wanted, *where: Column) -> Rows:
    """Each enrolment with SUMMED_BY and MEASURES: for few, so how far is asked for each."""
    last = (
        select(func.max(Module.position))
        .where(Module.course_id == CourseRun.course_id)
        .scalar_subquery()
    )
    furthest = (
        select(func.max(Module.position))
        .join(Activity, Activity.module_id == Module.id)
        .join(Progress, Progress.activity_id == Activity.id)
        .where(Progress.enrolment_id == Enrolment.id)
        .scalar_subquery()
    )
    return (
        select(
            Enrolment.run_id,
            month_in_utc(Enrolment.enrolled_at.expression).label("month"),
            func.coalesce(User.country, "").label("country"),
            func.coalesce(_reached(last, furthest), 0).label("reached"),
            literal(1).label("enrolled"),
            case((Enrolment.last_seen_at.is_not(None), 1), else_=0).label("started"),
            case((Enrolment.completed_at.is_not(None), 1), else_=0).label("completed"),
        )
        .select_from(Enrolment)
        .join(CourseRun, CourseRun.id == Enrolment.run_id)
        .join(User, User.id == Enrolment.user_id)
        .where(*_conditions(wanted), *where)
    )


def completions(wanted: Wanted) -> Subquery:
    """Sums and single enrolments with SUMMED_BY and MEASURES, to be summed further.

    What sums to nobody is none: lines may take off what others have too much.

    Whole months of runs without a mark come from the sums; the rest is read one by one.
    """
    marks, span = marked_runs(EnrolmentMark), split_months(wanted.since, wanted.until)
    lives = [] if wanted.country is None else [EnrolmentSum.country == wanted.country]
    sums = select(*(getattr(EnrolmentSum, name) for name in (*SUMMED_BY, *MEASURES))).where(
        EnrolmentSum.run_id.not_in(marks),
        *span.months(EnrolmentSum.month.expression),
        *lives,
        *wanted.on_runs(EnrolmentSum.run_id.expression),
    )
    # no index has such an instant: their runs find them
    enrolled_at = func.coalesce(Enrolment.enrolled_at, Enrolment.created_at)
    then = within(enrolled_at, wanted.since, wanted.until)
    whenever = replace(wanted, since=None, until=None)
    parts = [(_each(whenever, Enrolment.run_id.in_(marks), *then), 1)] if marks else []
    for edge in span.edges:
        cut = replace(wanted, since=edge.since, until=edge.until)
        parts.append((_each(cut, Enrolment.run_id.not_in(marks)), edge.sign))
    lines = (signed(rows, SUMMED_BY, MEASURES, sign) for rows, sign in parts)
    return union_all(sums, *lines).subquery("completions")


def count_people(wanted: Wanted) -> Rows:
    """How many different people enrolled, by country: `country`, "" for not known, and `people`."""
    is_one = exists().where(Enrolment.user_id == User.id, *_conditions(wanted))
    country = func.coalesce(User.country, "").label("country")
    return select(country, func.count().label("people")).where(is_one).group_by(country)


def read_sums(run_ids: Sequence[int] | None = None) -> Rows:
    """The sums as the enrolments say them: SUMMED_BY and MEASURES."""
    where = [Enrolment.run_id.in_(run_ids)] if run_ids is not None else []
    people = _each(Wanted(), *where).subquery("people")
    by = [people.c[name] for name in SUMMED_BY]
    return select(*by, *(func.sum(people.c[name]).label(name) for name in MEASURES)).group_by(*by)
