"""A course run of the past, so that reports, certificates and grades have something to show.

The rooms' own services do it all, with the clock set back: nothing here writes into their tables.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from flask import current_app
from sqlalchemy import select, update

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.models import JobState, OutboxRow
from lms.core.money import Money
from lms.core.registry import EXTENSION
from lms.courses.activity_types.base import activity_types
from lms.courses.models import Activity, Course, CourseRun, Module, PublicationState, Release
from lms.courses.services.progress import complete_activity
from lms.demo.shares import agree_on_shares

WEEKS_AGO = 8
DAYS = 21


def ensure_history(people: dict[str, User], cohort: list[User]) -> None:
    """Let the cohort enrol, pay, study and for the most part complete a run of the paid course."""
    if "payments" not in current_app.extensions[EXTENSION].names:
        return
    course = db.session.scalars(
        select(Course).where(Course.slug == "tools-for-community-planning")
    ).one()
    known = db.session.scalar(
        select(CourseRun.id).where(CourseRun.course_id == course.id, CourseRun.slug == "past")
    )
    if known is not None:
        return
    from lms.demo.books import keep_books  # knows payments, which can be switched off

    newest = newest_job()
    run = _past_run(course)
    activities = db.session.scalars(
        select(Activity)
        .join(Module)
        .where(Activity.course_id == course.id, Activity.is_required)
        .order_by(Module.position, Activity.position)
    ).all()
    agree_on_shares(run, people["admin"], people["instructor"])
    random = Random(2026)  # noqa: S311  # the same past in every demo
    for number, user in enumerate(cohort):
        _one_learner(run, user, list(activities), number, random)
    keep_books(run, people["admin"])
    send_no_old_mails(newest)


def _past_run(course: Course) -> CourseRun:
    start = clock.now().date() - timedelta(weeks=WEEKS_AGO)
    run = CourseRun(
        course=course,
        slug="past",
        starts_on=start,
        ends_on=start + timedelta(days=DAYS - 1),
        time_zone="America/La_Paz",
        language="es",
        capacity=30,
        price=Money(18000, "CAD"),
        release=Release.AT_ONCE,
        state=PublicationState.PUBLISHED,
    )
    db.session.add(run)
    db.session.flush()
    return run


def _one_learner(
    run: CourseRun, user: User, activities: list[Activity], number: int, random: Random
) -> None:
    """Most complete; one in five stops half-way, at a place of their own."""
    from lms.payments.services.orders import place_order
    from lms.payments.services.payments import take_payment

    before = run.starts_at - timedelta(days=random.randint(1, 20), hours=random.randint(0, 20))
    with clock.set_to(before):
        order = place_order(run, user, "stripe", country=user.country, language=user.language)
        take_payment(order, "stripe", f"pi_demo_{number:04d}", order.total)
    enrolment = order.enrolment
    assert enrolment is not None  # an order that is paid has one
    stops_at = random.randint(3, 15) if number % 5 == 4 else len(activities)
    for step, activity in enumerate(activities[:stops_at]):
        with clock.set_to(_moment(run, step, len(activities), random)):
            is_graded = activity_types[activity.kind].is_graded
            score = round(random.uniform(0.7, 1.0), 2) if is_graded else None
            complete_activity(
                enrolment, activity, score=score, is_passed=True if is_graded else None
            )


def _moment(run: CourseRun, step: int, steps: int, random: Random) -> datetime:
    """When the step is done: spread over the run, in the evenings."""
    day = step * (DAYS - 1) / steps
    return run.starts_at + timedelta(days=int(day), hours=18, minutes=step + random.random() * 50)


def newest_job() -> int:
    """The number of the job that was enqueued last."""
    return db.session.scalar(select(OutboxRow.id).order_by(OutboxRow.id.desc()).limit(1)) or 0


def send_no_old_mails(newest: int) -> None:
    """What would have been mailed weeks ago is not mailed today."""
    db.session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.id > newest,
            OutboxRow.job.not_like("certificates.%"),
            OutboxRow.job.not_like("invoicing.%"),
        )
        .values(state=JobState.DONE, done_at=clock.now())
    )
