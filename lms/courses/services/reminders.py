"""Reminders by the clock: a run begins, a week opens, something is due and not done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, selectinload

from lms.core import clock
from lms.core.db import db
from lms.courses.models import (
    Activity,
    Course,
    CourseRun,
    Enrolment,
    EnrolmentState,
    Module,
    Progress,
    PublicationState,
    Release,
    SentReminder,
)
from lms.notifications.services import tell

BEFORE_BEGIN = timedelta(hours=24)
AFTER_OPENING = timedelta(hours=24)
BEFORE_DUE = timedelta(hours=48)
BATCH = 200


@dataclass(frozen=True)
class Reminder:
    """One reminder of a run that is to be sent now.

    what: its name in SentReminder. activities: those that are due, for people who have not done
    them all. since: only people who were enrolled before.
    """

    run: CourseRun
    what: str
    kind: str
    values: dict[str, Any]
    activities: list[Activity] = field(default_factory=list)
    since: datetime | None = None


def send_reminders(limit: int = BATCH) -> int:
    """Tell everybody what they have not been told yet; returns how many, at most `limit`."""
    now = clock.now()
    sent = 0
    for run in _runs(now):
        for reminder in _reminders(run, now):
            if sent >= limit:
                return sent
            sent += _send(reminder, limit - sent)
    return sent


def _runs(now: datetime) -> list[CourseRun]:
    return list(
        db.session.scalars(
            select(CourseRun)
            .where(
                CourseRun.state == PublicationState.PUBLISHED,
                CourseRun.starts_on <= (now + timedelta(days=3)).date(),
                CourseRun.ends_on >= (now - timedelta(days=2)).date(),
            )
            .order_by(CourseRun.id)
            .options(
                joinedload(CourseRun.course)
                .selectinload(Course.modules)
                .selectinload(Module.activities)
            )
        )
    )


def _reminders(run: CourseRun, now: datetime) -> Iterator[Reminder]:
    values = {"run_id": run.id, "course": run.course.title}
    if run.starts_at - BEFORE_BEGIN <= now < run.starts_at:
        begins = {"begins_at": run.starts_at.isoformat()}
        yield Reminder(run, "begins", "courses.begins", values | begins)
    by_due: dict[datetime, list[Activity]] = {}
    for module in run.course.modules:
        opened_at = run.released_at(module)
        is_later = run.release == Release.BY_WEEK and opened_at > run.starts_at
        if is_later and opened_at <= now < opened_at + AFTER_OPENING:
            week = {"week": module.position, "module": module.title}
            yield Reminder(
                run,
                f"opens:{module.id}",
                "courses.week_opened",
                values | week,
                since=opened_at,
            )
        for activity in module.activities:
            due_at = run.due_at(activity)
            counts = activity.is_required and activity.is_published
            if counts and due_at is not None and due_at - BEFORE_DUE <= now < due_at:
                by_due.setdefault(due_at, []).append(activity)
    for due_at, activities in by_due.items():
        due = {"due_at": due_at.isoformat()}
        what = f"due:{due_at.date().isoformat()}"
        yield Reminder(run, what, "courses.due_soon", values | due, activities)


def _send(reminder: Reminder, limit: int) -> int:
    told = (
        select(SentReminder.id)
        .where(SentReminder.enrolment_id == Enrolment.id, SentReminder.what == reminder.what)
        .exists()
    )
    conditions: list[ColumnElement[bool]] = [
        Enrolment.run_id == reminder.run.id,
        Enrolment.state == EnrolmentState.ACTIVE,
        ~told,
    ]
    ids = [activity.id for activity in reminder.activities]
    if reminder.since is not None:
        conditions.append(Enrolment.enrolled_at < reminder.since)
    if ids:
        done = (
            select(func.count())
            .where(
                Progress.enrolment_id == Enrolment.id,
                Progress.activity_id.in_(ids),
                Progress.counts(),
            )
            .scalar_subquery()
        )
        conditions.append(done < len(ids))
    people = db.session.scalars(
        select(Enrolment)
        .where(*conditions)
        .order_by(Enrolment.id)
        .limit(limit)
        .options(joinedload(Enrolment.user), selectinload(Enrolment.progress))
    ).all()
    for enrolment in people:
        values = reminder.values
        if ids:
            finished = {
                row.activity_id for row in enrolment.progress if row.completed_at or row.waived_at
            }
            missing = [a.title for a in reminder.activities if a.id not in finished]
            values = values | {"activities": missing}
        db.session.add(SentReminder(enrolment_id=enrolment.id, what=reminder.what))
        tell(enrolment.user, reminder.kind, **values)
    db.session.flush()
    return len(people)
