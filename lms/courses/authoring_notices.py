"""What instructors write to the people of a run: the message and the job that sends it."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.outbox import Job
from lms.core.web import absolute_url
from lms.courses.models import CourseRun, Enrolment, EnrolmentState
from lms.courses.services.progress import complete_course_when_done
from lms.notifications.kinds import NotificationKind
from lms.notifications.services import tell


def _tell_learners(run_id: int, user_ids: list[int], title: str, body: str, sender: str) -> None:
    run = db.session.get(CourseRun, run_id)
    if run is None:
        return
    people = db.session.scalars(select(User).where(User.id.in_(user_ids)).order_by(User.id))
    for person in people:
        tell(
            person,
            "courses.message",
            run_id=run_id,
            course=run.course.title,
            title=title,
            body=body,
            sender=sender,
        )


def _complete_those_done(course_id: int) -> None:
    """After an activity stopped to count: those for whom it was the last are done now."""
    waiting = db.session.scalars(
        select(Enrolment)
        .join(Enrolment.run)
        .where(CourseRun.course_id == course_id, Enrolment.state == EnrolmentState.ACTIVE)
        .order_by(Enrolment.id)
    ).all()
    for enrolment in waiting:
        if enrolment.last_seen_at is not None:
            complete_course_when_done(enrolment)


JOBS = [
    Job("courses.tell_learners", _tell_learners),
    Job("courses.complete_those_done", _complete_those_done),
]


def _link(values: Any) -> str:
    return absolute_url("courses.study_home", run_id=values["run_id"])


NOTIFICATION_KINDS = [
    NotificationKind(
        name="courses.message",
        label=lazy_gettext("Messages of your instructors"),
        subject=lambda values: str(values["title"]),
        template="courses/mail/message.md",
        link=_link,
    )
]
