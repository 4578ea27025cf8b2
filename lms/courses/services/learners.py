"""What instructors do with the people of a run: add, remove, write to them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import func, select

from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.db import db
from lms.core.models import AuditEntry
from lms.core.outbox import enqueue
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, MessageSent, RunFull
from lms.courses.models import (
    HOLDS_SEAT,
    STUDIES,
    Activity,
    CourseRun,
    Enrolment,
    EnrolmentState,
    Progress,
    PublicationState,
)
from lms.courses.services.enrolment import activate, end_enrolment, lock_run, seats_taken

CHUNK = 50  # people written to by one job


class Recipients(StrEnum):
    """Which learners of a run a message goes to."""

    ALL = "all"
    NOT_STARTED = "not_started"
    BEHIND = "behind"  # a required activity is past its due date and not done


def enrol_person(run: CourseRun, person: User, actor_id: int) -> Enrolment:
    """Give a person a place without payment and outside of the enrolment window; audited.

    Raises AlreadyEnrolled, RunFull, and EnrolmentClosed in a cancelled run.
    """
    run = lock_run(run)
    if run.state == PublicationState.CANCELLED:
        raise EnrolmentClosed
    enrolment = db.session.scalar(
        select(Enrolment).where(Enrolment.run_id == run.id, Enrolment.user_id == person.id)
    )
    if enrolment is not None and enrolment.has_place:
        raise AlreadyEnrolled
    has_seat = enrolment is not None and enrolment.state in HOLDS_SEAT
    if not has_seat and run.capacity is not None and seats_taken(run) >= run.capacity:
        raise RunFull
    if enrolment is None:
        enrolment = Enrolment(run=run, user=person, state=EnrolmentState.PENDING_PAYMENT)
        db.session.add(enrolment)
    enrolment.method = "administrator"
    db.session.flush()
    audit.record("courses.enrol_person", run, actor_id, enrolment_id=enrolment.id)
    return activate(enrolment)


def remove_learner(enrolment: Enrolment, actor_id: int) -> None:
    """End a person's enrolment; the place goes to the next who waits. Safe to repeat."""
    audit.record("courses.remove_learner", enrolment.run, actor_id, enrolment_id=enrolment.id)
    end_enrolment(enrolment, EnrolmentState.WITHDRAWN)


def recipients(run: CourseRun, group: Recipients) -> list[int]:
    """Ids of the people who study in the run and belong to the group."""
    studying = select(Enrolment.user_id).where(
        Enrolment.run_id == run.id, Enrolment.state.in_(STUDIES)
    )
    if group == Recipients.NOT_STARTED:
        studying = studying.where(Enrolment.last_seen_at.is_(None))
    elif group == Recipients.BEHIND:
        late = _overdue(run)
        done = (
            select(func.count())
            .select_from(Progress)
            .where(
                Progress.enrolment_id == Enrolment.id,
                Progress.activity_id.in_(late),
                Progress.counts(),
            )
            .scalar_subquery()
        )
        studying = studying.where(Enrolment.state == EnrolmentState.ACTIVE, done < len(late))
    return list(db.session.scalars(studying.order_by(Enrolment.user_id)))


def _overdue(run: CourseRun) -> list[int]:
    now = clock.now()
    activities = db.session.scalars(
        select(Activity).where(
            Activity.course_id == run.course_id, Activity.is_required, Activity.is_published
        )
    )
    return [a.id for a in activities if (due := run.due_at(a)) is not None and due < now]


def write_to_learners(
    run: CourseRun, group: Recipients, subject: str, body: str, sender: User, token: str
) -> int:
    """Send a message to a group of learners; returns to how many.

    body: Markdown. token: chosen by the form. Raises MessageSent when the form is sent twice with
    the same words to the same group; with others it is another message.
    """
    run = lock_run(run)
    words = "\0".join((token, str(group), subject, body))
    token = hashlib.sha256(words.encode()).hexdigest()
    if any(entry.details.get("token") == token for entry in list_messages(run)):
        raise MessageSent
    people = recipients(run, group)
    if not people:
        return 0
    for start in range(0, len(people), CHUNK):
        enqueue(
            "courses.tell_learners",
            run_id=run.id,
            user_ids=people[start : start + CHUNK],
            title=subject,
            body=body,
            sender=sender.name,
        )
    audit.record(
        "courses.message",
        run,
        sender.id,
        token=token,
        title=subject,
        group=str(group),
        recipients=len(people),
    )
    db.session.flush()
    return len(people)


def list_messages(run: CourseRun) -> Sequence[AuditEntry]:
    """The messages that were sent to the run's learners, newest first."""
    return db.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.subject_kind == CourseRun.__tablename__,
            AuditEntry.subject_id == str(run.id),
            AuditEntry.act == "courses.message",
        )
        .order_by(AuditEntry.id.desc())
    ).all()
