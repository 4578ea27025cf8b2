"""Course runs: dates, price, places, publication, cancellation, copies with shifted dates."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import func, select

from lms.core import audit
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.courses.activity_types.base import activity_types
from lms.courses.errors import (
    CapacityTooSmall,
    NotReady,
    PriceInUse,
    RunHasLearners,
    WrongRunLength,
)
from lms.courses.events import CourseRunCancelled, CourseRunCopied, CourseRunPublished
from lms.courses.models import (
    MAX_DAYS,
    MIN_DAYS,
    Activity,
    Course,
    CourseRun,
    Enrolment,
    Module,
    PublicationState,
)
from lms.courses.seat_models import has_own_seat, seats_held
from lms.courses.services.enrolment import lock_run, offer_free_seats, seats_taken


@dataclass(frozen=True)
class RunPlan:
    """What an author decides about a run."""

    starts_on: date
    ends_on: date
    time_zone: str
    language: str
    capacity: int | None
    price: Money
    enrolment_opens_at: datetime | None
    enrolment_closes_at: datetime | None
    release: str

    @property
    def days(self) -> int:
        """Length in days, first and last included."""
        return (self.ends_on - self.starts_on).days + 1


def _check_length(plan: RunPlan, allowed_by: int | None) -> None:
    if not MIN_DAYS <= plan.days <= MAX_DAYS and allowed_by is None:
        raise WrongRunLength


def _fill(run: CourseRun, plan: RunPlan) -> None:
    run.starts_on = plan.starts_on
    run.ends_on = plan.ends_on
    run.time_zone = plan.time_zone
    run.language = plan.language
    run.capacity = plan.capacity
    run.price = plan.price
    run.enrolment_opens_at = plan.enrolment_opens_at
    run.enrolment_closes_at = plan.enrolment_closes_at
    run.release = plan.release


def plan_of(run: CourseRun) -> RunPlan:
    """What was decided about a run."""
    return RunPlan(
        run.starts_on,
        run.ends_on,
        run.time_zone,
        run.language,
        run.capacity,
        run.price,
        run.enrolment_opens_at,
        run.enrolment_closes_at,
        run.release,
    )


def _free_slug(course: Course, starts_on: date) -> str:
    taken = set(db.session.scalars(select(CourseRun.slug).where(CourseRun.course_id == course.id)))
    wanted = candidate = f"{starts_on:%Y-%m}"
    number = 1
    while candidate in taken:
        number += 1
        candidate = f"{wanted}-{number}"
    return candidate


def create_run(
    key: uuid.UUID, course: Course, plan: RunPlan, *, allowed_by: int | None = None
) -> CourseRun:
    """Plan a run of the course, not yet published.

    key: chosen by the form, becomes the run's UUID, so that a form sent twice makes one run.
    allowed_by: administrator who allows a length outside of 14 to 28 days. Raises WrongRunLength.
    """
    db.session.execute(select(Course.id).where(Course.id == course.id).with_for_update())
    known = db.session.scalar(
        select(CourseRun).where(CourseRun.uuid == key, CourseRun.course_id == course.id)
    )
    if known is not None:
        return known
    _check_length(plan, allowed_by)
    run = CourseRun(
        uuid=key,
        course=course,
        slug=_free_slug(course, plan.starts_on),
        state=PublicationState.DRAFT,
    )
    _fill(run, plan)
    db.session.add(run)
    db.session.flush()
    _allow_length(run, allowed_by)
    return run


def _allow_length(run: CourseRun, allowed_by: int | None) -> None:
    if MIN_DAYS <= run.days <= MAX_DAYS:
        run.length_allowed_by_id = None
    elif allowed_by is not None and run.length_allowed_by_id != allowed_by:
        run.length_allowed_by_id = allowed_by
        audit.record("courses.allow_run_length", run, allowed_by, days=run.days)
    db.session.flush()


def paid_seats(run: CourseRun) -> int:
    """How many people have a place in the run that they pay or paid for."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Enrolment)
            .where(
                Enrolment.run_id == run.id,
                has_own_seat(),
                Enrolment.method.not_in(("free", "administrator", "waiting_list")),
            )
        )
        or 0
    ) + (db.session.scalar(select(seats_held(run.id))) or 0)


def change_run(
    run: CourseRun,
    plan: RunPlan,
    actor_id: int | None,
    *,
    allowed_by: int | None = None,
    price_confirmed: bool = False,
) -> None:
    """Change a run. More places are offered to those who wait.

    price_confirmed: the author saw that people paid another price. Raises WrongRunLength,
    PriceInUse and CapacityTooSmall.
    """
    run = lock_run(run)
    if plan.days != run.days or run.length_allowed_by_id is None:
        _check_length(plan, allowed_by)
    if plan.capacity is not None and plan.capacity < seats_taken(run):
        raise CapacityTooSmall
    if plan.price != run.price and run.state == PublicationState.PUBLISHED:
        paid = paid_seats(run)
        if paid and not price_confirmed:
            raise PriceInUse
        audit.record(
            "courses.change_price",
            run,
            actor_id,
            old=[run.price.minor, run.price.currency],
            new=[plan.price.minor, plan.price.currency],
            paid_seats=paid,
        )
    _fill(run, plan)
    db.session.flush()
    _allow_length(run, allowed_by)
    offer_free_seats(run)


def publish_run(run: CourseRun, actor_id: int | None) -> None:
    """Show the run and let people enrol. Safe to repeat.

    Raises NotReady while its course is a draft and WrongRunLength.
    """
    if run.state == PublicationState.PUBLISHED:
        return
    if not run.course.is_published:
        raise NotReady(_("Publish the course first, then its runs."))
    if run.state == PublicationState.CANCELLED:
        raise NotReady(_("This run was cancelled. Copy it to plan a new one."))
    if run.length_allowed_by_id is None:
        _check_length(plan_of(run), None)
    run.state = PublicationState.PUBLISHED
    audit.record("courses.publish_run", run, actor_id)
    db.session.flush()
    emit(CourseRunPublished(run))


def unpublish_run(run: CourseRun, actor_id: int | None) -> None:
    """Hide a run in which nobody has a place. Safe to repeat. Raises RunHasLearners."""
    if run.state != PublicationState.PUBLISHED:
        return
    run = lock_run(run)
    if seats_taken(run):
        raise RunHasLearners
    run.state = PublicationState.DRAFT
    audit.record("courses.unpublish_run", run, actor_id)
    db.session.flush()


def cancel_run(run: CourseRun, actor_id: int | None) -> None:
    """The run will not take place; those who are told and refunded learn it by the event.

    Safe to repeat.
    """
    if run.state == PublicationState.CANCELLED:
        return
    run = lock_run(run)
    run.state = PublicationState.CANCELLED
    audit.record("courses.cancel_run", run, actor_id, seats=seats_taken(run))
    db.session.flush()
    emit(CourseRunCancelled(run))


@dataclass(frozen=True)
class ShiftedDate:
    """One date of a run before and after copying. kind: what the date is of."""

    kind: str  # starts, ends, enrolment_opens, enrolment_closes, module, due
    old: datetime
    new: datetime
    subject: Module | Activity | None = None


def shifted(run: CourseRun, starts_on: date) -> RunPlan:
    """The plan of a copy that starts on another day.

    All dates move by as many days; the hours of the enrolment window stay the same on the run's
    own clock, also across a change to or from summer time.
    """
    days = (starts_on - run.starts_on).days
    return replace(
        plan_of(run),
        starts_on=starts_on,
        ends_on=run.ends_on + timedelta(days=days),
        enrolment_opens_at=_moved(run.enrolment_opens_at, days, run.time_zone),
        enrolment_closes_at=_moved(run.enrolment_closes_at, days, run.time_zone),
    )


def _moved(instant: datetime | None, days: int, time_zone: str) -> datetime | None:
    if instant is None:
        return None
    zone = ZoneInfo(time_zone)
    local = instant.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    return local.replace(tzinfo=zone).astimezone(UTC)


def review_copy(run: CourseRun, plan: RunPlan) -> list[ShiftedDate]:
    """All dates of a run, old and new, for its author to look over."""
    copy = CourseRun(slug="", state=PublicationState.DRAFT)
    _fill(copy, plan)
    dates = [
        ShiftedDate("starts", run.starts_at, copy.starts_at),
        ShiftedDate("ends", run.ends_at, copy.ends_at),
    ]
    for kind, old, new in (
        ("enrolment_opens", run.enrolment_opens_at, copy.enrolment_opens_at),
        ("enrolment_closes", run.enrolment_closes_at, copy.enrolment_closes_at),
    ):
        if old is not None and new is not None:
            dates.append(ShiftedDate(kind, old, new))
    for module in run.course.modules:
        dates.append(
            ShiftedDate("module", run.released_at(module), copy.released_at(module), module)
        )
        for activity in module.activities:
            old, new = run.due_at(activity), copy.due_at(activity)
            if activity.is_published and old is not None and new is not None:
                dates.append(ShiftedDate("due", old, new, activity))
    return dates


def copy_run(
    key: uuid.UUID, run: CourseRun, plan: RunPlan, *, allowed_by: int | None = None
) -> CourseRun:
    """Plan a run like another one, on other dates. Raises WrongRunLength."""
    copy = create_run(key, run.course, plan, allowed_by=allowed_by)
    for activity in _activities(run.course.modules):
        kind = activity_types.get(activity.kind)
        if kind is not None:
            kind.copy_for_run(activity, copy)
    emit(CourseRunCopied(copy, run))
    return copy


def _activities(modules: Sequence[Module]) -> list[Activity]:
    return [activity for module in modules for activity in module.activities]
