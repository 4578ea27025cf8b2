"""The catalogue: which courses match, each with the run to show and its free places."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased, joinedload, load_only, selectinload

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.pagination import Page
from lms.core.stamps import watch
from lms.core.text import search_words
from lms.courses.models import (
    Course,
    CourseCredit,
    CourseRun,
    Enrolment,
    EnrolmentState,
    PublicationState,
    Topic,
)
from lms.courses.queries.enrolments import Seats, seats_by_run
from lms.courses.seat_models import HeldSeats, has_own_seat, seats_held

PAGE_SIZE = 12
STAMP = (
    "catalogue"  # changes with all that the list shows; what hangs on the time, every ten minutes
)
watch(STAMP, Topic, Course, CourseCredit, CourseRun, Enrolment, HeldSeats)
FEW_PLACES = 3
SOON = timedelta(days=7)


class RunState(StrEnum):
    """What a visitor can expect of a run."""

    NOT_YET_OPEN = "not_yet_open"
    OPEN = "open"
    FEW_PLACES = "few_places"
    FULL = "full"
    STARTS_SOON = "starts_soon"
    CLOSED = "closed"


def run_state(run: CourseRun, seats: Seats, now: datetime) -> RunState:
    """How open a published run is for somebody who comes now."""
    if run.enrolment_opens_at is not None and run.enrolment_opens_at > now:
        return RunState.NOT_YET_OPEN
    if (run.enrolment_closes_at or run.ends_at) < now:
        return RunState.CLOSED
    if run.capacity is not None:
        left = run.capacity - seats.taken - seats.waiting
        if left <= 0:
            return RunState.FULL
        if left <= max(FEW_PLACES, run.capacity // 10):
            return RunState.FEW_PLACES
    if now < run.starts_at <= now + SOON:
        return RunState.STARTS_SOON
    return RunState.OPEN


@dataclass(frozen=True)
class Filters:
    """What a visitor looks for. `month`: first day of the month in which the run starts."""

    query: str = ""
    topic: str = ""
    month: date | None = None
    language: str = ""
    price: str = ""  # "free", "paid" or ""
    up_to_minor: int | None = None  # of `currency`
    currency: str = ""
    weeks: int | None = None
    with_credit: bool = False

    @property
    def narrows_runs(self) -> bool:
        """Whether courses without dates cannot match."""
        return self.month is not None or bool(self.price) or self.up_to_minor is not None


@dataclass(frozen=True)
class Card:
    """A course of the list, with the next run that matches, when there is one."""

    course: Course
    run: CourseRun | None
    state: RunState | None


@dataclass(frozen=True)
class Choices:
    """What the filters offer: topics with courses, months with starts, currencies of prices."""

    topics: Sequence[Topic]
    months: Sequence[date]
    currencies: Sequence[str]


def search_courses(filters: Filters, page: int, size: int = PAGE_SIZE) -> Page[Card]:
    """One page of the published courses that match, those with the words in the title first."""
    now = clock.now()
    # all the ids, two numbers a course: to count them apart would search all texts once more
    matching = db.session.execute(_matching(filters, now)).all()
    page = min(max(1, page), max(1, -(-len(matching) // size)))
    found = matching[(page - 1) * size : page * size]
    courses = _courses_by_id([row.course_id for row in found])
    runs = _runs_by_id([row.run_id for row in found if row.run_id is not None])
    seats = seats_by_run(list(runs))
    cards = []
    for row in found:
        run = runs.get(row.run_id)
        state = run_state(run, seats.get(run.id, Seats()), now) if run is not None else None
        cards.append(Card(courses[row.course_id], run, state))
    return Page(cards, page, size, len(matching))


def _courses_by_id(ids: Sequence[int]) -> dict[int, Course]:
    """What cards show of courses, and none of the long texts."""
    if not ids:
        return {}
    statement = select(Course).where(Course.id.in_(ids))
    found = db.session.scalars(
        statement.options(
            load_only(
                Course.slug,
                Course.title,
                Course.weeks,
                Course.hours,
                Course.languages,
                Course.topic_id,
            ),
            joinedload(Course.topic),
            selectinload(Course.credits),
        )
    )
    return {course.id: course for course in found}


def _runs_by_id(ids: Sequence[int]) -> dict[int, CourseRun]:
    if not ids:
        return {}
    found = db.session.scalars(select(CourseRun).where(CourseRun.id.in_(ids)))
    return {run.id: run for run in found}


def _open_runs(now: datetime) -> list[object]:
    return [
        CourseRun.state == PublicationState.PUBLISHED,
        CourseRun.ends_on >= now.date(),
        or_(CourseRun.enrolment_closes_at.is_(None), CourseRun.enrolment_closes_at >= now),
    ]


def _matching(filters: Filters, now: datetime) -> Select[int, int]:
    """The ids of the courses and of their next runs in order: whole rows would be sorted too."""
    conditions = _open_runs(now)
    if filters.month is not None:
        last = monthrange(filters.month.year, filters.month.month)[1]
        conditions.append(
            CourseRun.starts_on.between(filters.month, filters.month.replace(day=last))
        )
    price = CourseRun.__table__.c.price_minor
    currency = CourseRun.__table__.c.price_currency
    if filters.price == "free":
        conditions.append(price == 0)
    elif filters.price == "paid":
        conditions.append(price > 0)
    if filters.up_to_minor is not None:
        conditions.append(
            or_(price == 0, and_(price <= filters.up_to_minor, currency == filters.currency))
        )
    next_id = (  # asked for each course by the index; ranking all runs at once takes far longer
        select(CourseRun.id)
        .where(CourseRun.course_id == Course.id, *conditions)  # type: ignore[arg-type]
        .order_by(CourseRun.starts_on, CourseRun.id)
        .limit(1)
        .correlate(Course)
        .scalar_subquery()
    )
    words = search_words(filters.query)
    wanted: list[ColumnElement[bool]] = [
        Course.state == PublicationState.PUBLISHED,
        *(Course.search_text.like(f"%{word}%") for word in words),
    ]
    if filters.topic:
        topic_id = select(Topic.id).where(Topic.slug == filters.topic).scalar_subquery()
        wanted.append(Course.topic_id == topic_id)
    if filters.language:
        wanted.append(cast(Course.languages, String).like(f'%"{filters.language}"%'))
    if filters.weeks is not None:
        wanted.append(Course.weeks == filters.weeks)
    if filters.with_credit:
        wanted.append(exists().where(CourseCredit.course_id == Course.id))
    next_run = aliased(CourseRun)
    statement = (
        select(Course.id.label("course_id"), next_run.id.label("run_id"))
        .outerjoin(next_run, next_run.id == next_id)
        .where(*wanted)
    )
    if filters.narrows_runs:
        statement = statement.where(next_run.id.is_not(None))
    in_title = [Course.search_text.like(f"%{word}%\n%") for word in words]
    rank = [case((and_(*in_title), 0), else_=1)] if words else []
    return statement.order_by(
        *rank, next_run.starts_on.is_(None), next_run.starts_on, Course.slug, Course.id
    )


def choices() -> Choices:
    """What the filters of the catalogue offer now: two queries."""
    now = clock.now()
    topics = db.session.scalars(
        select(Topic)
        .where(
            exists().where(Course.topic_id == Topic.id, Course.state == PublicationState.PUBLISHED)
        )
        .order_by(Topic.position, Topic.slug)
    ).all()
    rows = db.session.execute(
        select(
            CourseRun.__table__.c.price_currency,
            func.min(CourseRun.starts_on),
            func.max(CourseRun.starts_on),
        )
        .where(*_open_runs(now))  # type: ignore[arg-type]
        .group_by(CourseRun.__table__.c.price_currency)
        .order_by(CourseRun.__table__.c.price_currency)
    ).all()
    months: list[date] = []
    if rows:
        month = max(min(row[1] for row in rows), now.date()).replace(day=1)
        last = max(row[2] for row in rows)
        while month <= last and len(months) < 18:
            months.append(month)
            month = (month + timedelta(days=32)).replace(day=1)
    return Choices(topics, months, [row[0] for row in rows])


def list_runs_for_page(
    course: Course, user: User | None
) -> list[tuple[CourseRun, Seats, Enrolment | None]]:
    """The runs of a course that are coming or under way, the next first, in one query.

    Each with its seats and, for a signed-in person, their enrolment.
    """
    other = aliased(Enrolment)

    def count(condition: ColumnElement[bool]) -> ScalarSelect[int]:
        found = select(func.count()).where(other.run_id == CourseRun.id, condition)
        return found.scalar_subquery()

    rows = db.session.execute(
        select(
            CourseRun,
            count(has_own_seat(other)) + seats_held(CourseRun.id),
            count(other.state == EnrolmentState.WAITLISTED),
            Enrolment,
        )
        .outerjoin(
            Enrolment,
            (Enrolment.run_id == CourseRun.id) & (Enrolment.user_id == (user.id if user else None)),
        )
        .where(
            CourseRun.course_id == course.id,
            CourseRun.state == PublicationState.PUBLISHED,
            CourseRun.ends_on >= clock.now().date(),
        )
        .order_by(CourseRun.starts_on, CourseRun.id)
    )
    return [(run, Seats(taken, waiting), mine) for run, taken, waiting, mine in rows]
