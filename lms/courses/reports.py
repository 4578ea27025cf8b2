"""What courses give to reports: completions by run, learners, where learners live and stop.

All figures are about the people who enrolled in the period: so no share exceeds the whole. Those
who teach see their own courses, administrators all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext, pgettext
from sqlalchemy import ColumnElement, Subquery, case, func, select

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.core.db import db
from lms.core.places import country_name
from lms.core.templating import format_number, format_percent
from lms.courses.models import (
    Course,
    CourseRun,
    EnrolmentState,
)
from lms.courses.queries import teaching
from lms.courses.queries.completions import (
    MEASURES,
    Wanted,
    completions,
    count_people,
    list_enrolments,
)
from lms.reports.base import (
    Chart,
    ChartItem,
    Column,
    Figure,
    Filters,
    Report,
    RowValues,
    Selection,
    Statement,
    Topic,
    report_url,
)

MAX_WEEKS = 8
UNKNOWN_COUNTRY = "-"
_WEEK = "week-"

PERMISSION = Permission(
    "courses.read_reports",
    lazy_gettext("Read reports of the courses one teaches"),
    lambda user, subject: teaching.teaches(user),
)


def title_in(language: str) -> ColumnElement[str]:
    """The title of a course in the language, else in English, else its slug."""
    return func.coalesce(
        func.nullif(Course.title[language].as_string(), ""),
        func.nullif(Course.title["en"].as_string(), ""),
        Course.slug,
    )


def _taught(user: User) -> Statement:
    """Ids of the courses that the person teaches."""
    courses = teaching.list_taught_courses(user).order_by(None).subquery("taught")
    return select(courses.c.id)


def _only_own(statement: Statement, course_id: ColumnElement[int], user: User) -> Statement:
    return statement if user.is_administrator else statement.where(course_id.in_(_taught(user)))


def _courses(filters: Filters) -> Sequence[tuple[str, str]]:
    title = title_in(filters.language)
    courses: Statement = select(Course.id, title).order_by(title, Course.id)
    found = _only_own(courses, Course.id.expression, filters.user)
    return [(str(id_), text) for id_, text in db.session.execute(found)]


def _runs(filters: Filters) -> Sequence[tuple[str, str]]:
    """The runs of the chosen course; none while no course is chosen, the list would be endless."""
    course_id = filters.number("course")
    if course_id is None:
        return []
    found = (
        select(CourseRun.id, CourseRun.slug, CourseRun.starts_on)
        .where(CourseRun.course_id == course_id)
        .order_by(CourseRun.starts_on.desc(), CourseRun.id)
    )
    rows = db.session.execute(found)
    return [(str(id_), f"{slug} · {starts_on:%Y-%m-%d}") for id_, slug, starts_on in rows]


def _countries(filters: Filters) -> Sequence[tuple[str, str]]:
    found = db.session.scalars(select(User.country).distinct().where(User.country.is_not(None)))
    named = sorted((country_name(code), code) for code in found if code)
    return [*((code, name) for name, code in named), (UNKNOWN_COUNTRY, _("Not known"))]


def _steps(filters: Filters) -> Sequence[tuple[str, str]]:
    weeks = [
        (f"{_WEEK}{n}", _("Reached week %(number)s", number=n)) for n in range(2, MAX_WEEKS + 1)
    ]
    return [
        ("started", pgettext("number of learners", "Started")),
        ("not-started", _("Not started")),
        *weeks,
        ("completed", pgettext("number of learners", "Completed")),
        ("not-completed", _("Started, not completed")),
    ]


COURSE = Selection(
    "course",
    lazy_gettext("Course"),
    lazy_gettext("All courses"),
    _courses,
    lazy_gettext("There is no such course among yours. Choose one of the list."),
)
RUN = Selection(
    "run",
    lazy_gettext("Course run"),
    lazy_gettext("All runs"),
    _runs,
    lazy_gettext("There is no such run of this course. Choose the course first, then its run."),
)
COUNTRY = Selection(
    "country",
    lazy_gettext("Country"),
    lazy_gettext("All countries"),
    _countries,
    lazy_gettext("Nobody lives in this country. Choose one of the list."),
)
STEP = Selection(
    "step",
    lazy_gettext("How far"),
    lazy_gettext("All who enrolled"),
    _steps,
    lazy_gettext("There is no such step. Choose one of the list."),
)

STATES = {
    EnrolmentState.WAITLISTED: lazy_gettext("On the waiting list"),
    EnrolmentState.OFFERED: lazy_gettext("Place offered"),
    EnrolmentState.PENDING_PAYMENT: lazy_gettext("Waiting for the payment"),
    EnrolmentState.ACTIVE: lazy_gettext("Studies"),
    EnrolmentState.COMPLETED: lazy_pgettext("enrolment", "Completed"),
    EnrolmentState.WITHDRAWN: lazy_gettext("Left the course"),
    EnrolmentState.REFUNDED: lazy_pgettext("enrolment", "Refunded"),
    EnrolmentState.EXPIRED: lazy_gettext("Expired"),
}


def _wanted(filters: Filters) -> Wanted:
    country = filters.get("country")
    return Wanted(
        since=filters.since,
        until=filters.until,
        course_id=filters.number("course"),
        run_id=filters.number("run"),
        country="" if country == UNKNOWN_COUNTRY else country,
        courses=None if filters.user.is_administrator else _taught(filters.user),
    )


def _lines(filters: Filters) -> Subquery:
    """Lines of `completions`, made once for a page."""
    return filters.once("lines", lambda: completions(_wanted(filters)))


def enrolled(filters: Filters, *, reached: bool = False, home: bool = False) -> Statement:
    """One row for each enrolment that became active in the period: see `list_enrolments`."""
    return list_enrolments(_wanted(filters), reached=reached, home=home)


def _summed(lines: Subquery, weeks: int = 0) -> list[ColumnElement[Any]]:
    """How many enrolled, started, reached each week and completed, of lines of `completions`."""
    return [
        func.sum(lines.c.enrolled).label("enrolled"),
        func.sum(lines.c.started).label("started"),
        *(
            func.sum(case((lines.c.reached >= week, lines.c.enrolled), else_=0)).label(
                f"week_{week}"
            )
            for week in range(2, weeks + 1)
        ),
        func.sum(lines.c.completed).label("completed"),
    ]


ENROLLED = Column(
    "enrolled", lazy_pgettext("number of learners", "Enrolled"), "number", has_total=True
)
STARTED = Column(
    "started", lazy_pgettext("number of learners", "Started"), "number", has_total=True
)
COMPLETED = Column(
    "completed", lazy_pgettext("number of learners", "Completed"), "number", has_total=True
)
RATE = Column("rate", lazy_gettext("Completed of started"), "percent", of=("completed", "started"))
_STEP_OF_COLUMN = {"enrolled": None, "started": "started", "completed": "completed"}


def learners_behind(column: Column, filters: Filters) -> str | None:
    """The list of the learners whom a figure counts."""
    if column.name.startswith("week_"):
        step: str | None = _WEEK + column.name.removeprefix("week_")
    elif column.name in _STEP_OF_COLUMN:
        step = _STEP_OF_COLUMN[column.name]
    else:
        return None
    return report_url(Learners.name, filters.narrowed(step=step))


class CompletionsByRun(Report):
    """How many enrolled, started, reached each week and completed, run by run."""

    topic = Topic.LEARNING
    name = "completions-by-run"
    label = lazy_gettext("Completions by course run")
    description = lazy_gettext(
        "How many people enrolled in each course run, how far they came, and how many completed it."
    )
    permission = PERMISSION.name
    period_of = lazy_gettext("The figures are about the people who enrolled in the period.")
    selections = (COURSE, RUN, COUNTRY)
    order = ("-starts_on", "course", "run_id")
    is_on_overview = True
    overview_order = 20
    overview_table = "runs"

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The run and its steps."""
        weeks = [
            Column(f"week_{n}", _("Reached week %(number)s", number=n), "number", has_total=True)
            for n in range(2, _weeks(filters) + 1)
        ]
        return [*self.run_columns(), ENROLLED, STARTED, *weeks, COMPLETED, RATE]

    def run_columns(self) -> list[Column]:
        """What names a run."""
        return [
            Column("course", lazy_gettext("Course run")),
            Column("starts_on", lazy_gettext("Begins"), "date"),
        ]

    def groups(self, filters: Filters, weeks: int = 0) -> Subquery:
        """The measures by run."""
        lines = _lines(filters)
        return (
            select(lines.c.run_id, *_summed(lines, weeks))
            .group_by(lines.c.run_id)
            .having(func.sum(lines.c.enrolled) > 0)
            .subquery("groups")
        )

    def statement(self, filters: Filters) -> Statement:
        """The runs in which somebody enrolled."""
        groups = self.groups(filters, _weeks(filters))
        return (
            select(
                groups,
                title_in(filters.language).label("course"),
                CourseRun.starts_on,
                CourseRun.course_id,
            )
            .join(CourseRun, CourseRun.id == groups.c.run_id)
            .join(Course, Course.id == CourseRun.course_id)
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The learners behind a figure."""
        run = filters.narrowed(course=row["course_id"], run=row["run_id"])
        if column.name == "course":
            return report_url(Learners.name, run)
        return learners_behind(column, run)

    def figures(self, filters: Filters) -> Sequence[Figure]:
        """How many completed, of how many."""
        funnel = _funnel(filters)
        started, completed = funnel.started, funnel.completed
        note = None
        if started:
            note = _(
                "of %(started)s started (%(share)s)",
                started=format_number(started),
                share=format_percent(completed / started),
            )
        return [
            Figure(
                lazy_gettext("Completions"),
                format_number(completed),
                note,
                report_url(Learners.name, filters.narrowed(step="completed")),
            )
        ]

    def charts(self, filters: Filters) -> Sequence[Chart]:
        """Where learners stop."""
        funnel = _funnel(filters)
        if not funnel.enrolled:
            return []
        steps = [
            (pgettext("number of learners", "Enrolled"), funnel.enrolled),
            (pgettext("number of learners", "Started"), funnel.started),
            *(
                (_("Reached week %(number)s", number=week), count)
                for week, count in funnel.reached_week
            ),
            (pgettext("number of learners", "Completed"), funnel.completed),
        ]
        items = [ChartItem(label, count, format_number(count)) for label, count in steps]
        text = _("Of the people who enrolled in the period, how many came this far.")
        return [Chart(_("Where learners stop"), text, items, "list")]


@dataclass(frozen=True)
class _Funnel:
    """How many people came how far, over all runs. reached_week: week and how many, from 2."""

    enrolled: int
    started: int
    completed: int
    reached_week: list[tuple[int, int]]


def _funnel(filters: Filters) -> _Funnel:
    def find() -> _Funnel:
        lines = _lines(filters)
        measures = (func.sum(lines.c[name]) for name in MEASURES)
        rows = db.session.execute(
            select(lines.c.reached, *measures).group_by(lines.c.reached)
        ).all()
        enrolled, started, completed = (sum(int(row[n]) for row in rows) for n in (1, 2, 3))
        furthest = min(max((row.reached for row in rows if row[1]), default=0), MAX_WEEKS)
        weeks = [
            (week, sum(int(row[1]) for row in rows if row.reached >= week))
            for week in range(2, furthest + 1)
        ]
        return _Funnel(enrolled, started, completed, weeks)

    return filters.once("funnel", find)


def _weeks(filters: Filters) -> int:
    """The furthest week that anybody reached."""
    funnel = _funnel(filters)
    return funnel.reached_week[-1][0] if funnel.reached_week else 1


class Learners(Report):
    """The people behind every figure of enrolments and completions."""

    topic = Topic.LEARNING
    name = "learners"
    label = lazy_gettext("Learners")
    description = lazy_gettext("The people who enrolled in the period, and how far they came.")
    permission = PERMISSION.name
    period_of = CompletionsByRun.period_of
    selections = (COURSE, RUN, COUNTRY, STEP)
    is_list = True
    order = ("-enrolled_at", "-id")
    never_empty = ("enrolled_at", "id")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """Who, in what, how far; addresses only for administrators."""
        email = Column("email", lazy_gettext("E-mail"), in_files_only=True)
        return [
            Column("learner", lazy_gettext("Learner")),
            *([email] if filters.user.is_administrator else []),
            Column("country", lazy_gettext("Country"), words=country_name),
            Column("course", lazy_gettext("Course run")),
            Column("starts_on", lazy_gettext("Begins"), "date"),
            Column("enrolled_at", lazy_pgettext("date", "Enrolled"), "date"),
            Column("reached", lazy_gettext("Week reached"), "number"),
            Column("state", lazy_gettext("State"), words=_state_words),
            Column("completed_at", lazy_pgettext("date", "Completed"), "date"),
            Column("grade", lazy_gettext("Grade"), "percent"),
        ]

    def statement(self, filters: Filters) -> Statement:
        """The enrolments at the chosen step."""
        people = enrolled(filters, reached=True).subquery("people")
        found = (
            select(
                people,
                User.name.label("learner"),
                User.email,
                User.country,
                title_in(filters.language).label("course"),
            )
            .join(User, User.id == people.c.user_id)
            .join(Course, Course.id == people.c.course_id)
        )
        return self._at_step(found, people, filters.get("step"))

    def counted(self, filters: Filters) -> Statement:
        """How many they are, in `lines`."""
        step, lines = filters.get("step") or "", _lines(filters)
        count: ColumnElement[Any] = lines.c.enrolled
        if step.startswith(_WEEK):
            week = int(step.removeprefix(_WEEK))
            count = case((lines.c.reached >= week, lines.c.enrolled), else_=0)
        elif step:
            started, completed = lines.c.started, lines.c.completed
            count = {
                "started": started,
                "not-started": lines.c.enrolled - started,
                "completed": completed,
                "not-completed": started - completed,
            }[step]
        return select(func.coalesce(func.sum(count), 0).label("lines"))

    def _at_step(self, found: Statement, people: Subquery, step: str | None) -> Statement:
        if not step:
            return found
        if step.startswith(_WEEK):
            return found.where(people.c.reached >= int(step.removeprefix(_WEEK)))
        has_started = people.c.last_seen_at.is_not(None)
        has_completed = people.c.completed_at.is_not(None)
        return found.where(
            *{
                "started": [has_started],
                "not-started": [~has_started],
                "completed": [has_completed],
                "not-completed": [has_started, ~has_completed],
            }[step]
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The person's page, for administrators."""
        if column.name == "learner" and filters.user.is_administrator:
            return url_for("administration.person", user_id=row["user_id"])
        return None


def _state_words(state: str) -> str:
    return str(STATES[EnrolmentState(state)])


class LearnersByCountry(Report):
    """Where learners live."""

    topic = Topic.LEARNING
    name = "learners-by-country"
    label = lazy_gettext("Learners by country")
    description = lazy_gettext("Where the people live who enrolled, and how many completed.")
    permission = PERMISSION.name
    period_of = CompletionsByRun.period_of
    selections = (COURSE, RUN)
    order = ("-enrolled", "country")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The country and its figures."""
        return [
            Column("country", lazy_gettext("Country"), words=_country_words),
            Column("people", lazy_gettext("People"), "number", has_total=True),
            ENROLLED,
            STARTED,
            COMPLETED,
            RATE,
        ]

    def statement(self, filters: Filters) -> Statement:
        """People and enrolments by country."""
        lines = _lines(filters)
        summed = (
            select(lines.c.country, *_summed(lines)).group_by(lines.c.country).subquery("summed")
        )
        persons = count_people(_wanted(filters)).subquery("persons")
        groups = (
            select(summed, persons.c.people)
            .join(persons, persons.c.country == summed.c.country)
            .subquery("groups")
        )
        others = [column for column in groups.c if column.name != "country"]
        known = func.coalesce(func.nullif(groups.c.country, ""), UNKNOWN_COUNTRY)
        return select(known.label("country"), *others)

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The learners behind a figure."""
        there = filters.narrowed(country=row["country"])
        if column.name in ("country", "people"):
            return report_url(Learners.name, there)
        return learners_behind(column, there)


def _country_words(code: str) -> str:
    return _("Not known") if code == UNKNOWN_COUNTRY else country_name(code)


REPORTS: list[Report] = [CompletionsByRun(), Learners(), LearnersByCountry()]
