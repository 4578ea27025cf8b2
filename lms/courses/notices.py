"""What learners are told about their places, weeks and dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.core.db import db
from lms.core.events import Subscription
from lms.core.outbox import enqueue
from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.courses.events import (
    CourseRunCancelled,
    Enrolled,
    EnrolmentEnded,
    SeatOffered,
    Waitlisted,
)
from lms.courses.models import CourseRun, Enrolment, EnrolmentState
from lms.courses.services.enrolment import end_enrolment
from lms.notifications.kinds import NotificationKind
from lms.notifications.services import tell

Values = Mapping[str, Any]


def _course(values: Values) -> str:
    return in_language(values["course"])


def _study_link(values: Values) -> str:
    return absolute_url("courses.study_home", run_id=values["run_id"])


def _page_link(values: Values) -> str:
    return absolute_url("courses.course_page", slug=values["slug"])


def _my_courses_link(values: Values) -> str:
    return absolute_url("courses.my_courses")


KINDS = [
    NotificationKind(
        "courses.enrolled",
        lazy_gettext("You are enrolled in a course"),
        lambda values: str(_("You are enrolled: %(course)s", course=_course(values))),
        "courses/mail/enrolled.md",
        _study_link,
        can_turn_off=False,
    ),
    NotificationKind(
        "courses.waitlisted",
        lazy_gettext("You are on a waiting list"),
        lambda values: str(_("You are on the waiting list: %(course)s", course=_course(values))),
        "courses/mail/waitlisted.md",
        _my_courses_link,
    ),
    NotificationKind(
        "courses.seat_offered",
        lazy_gettext("A place is free for you"),
        lambda values: str(_("A place is free for you: %(course)s", course=_course(values))),
        "courses/mail/seat_offered.md",
        _page_link,
        can_turn_off=False,
    ),
    NotificationKind(
        "courses.offer_expired",
        lazy_gettext("A place offered to you went to somebody else"),
        lambda values: str(_("Your place was not taken: %(course)s", course=_course(values))),
        "courses/mail/offer_expired.md",
        _page_link,
    ),
    NotificationKind(
        "courses.begins",
        lazy_gettext("A course begins tomorrow"),
        lambda values: str(_("It begins tomorrow: %(course)s", course=_course(values))),
        "courses/mail/begins.md",
        _study_link,
    ),
    NotificationKind(
        "courses.week_opened",
        lazy_gettext("A new week of a course opens"),
        lambda values: str(
            _("Week %(week)s has opened: %(course)s", week=values["week"], course=_course(values))
        ),
        "courses/mail/week_opened.md",
        _study_link,
        digest=True,
    ),
    NotificationKind(
        "courses.due_soon",
        lazy_gettext("Something is due in two days"),
        lambda values: str(_("Due soon: %(course)s", course=_course(values))),
        "courses/mail/due_soon.md",
        _study_link,
        digest=True,
    ),
    NotificationKind(
        "courses.run_cancelled",
        lazy_gettext("A course does not take place"),
        lambda values: str(_("Cancelled: %(course)s", course=_course(values))),
        "courses/mail/run_cancelled.md",
        _page_link,
        can_turn_off=False,
    ),
]


def _values_of(run: CourseRun) -> dict[str, Any]:
    return {"run_id": run.id, "slug": run.course.slug, "course": run.course.title}


def _tell_enrolled(event: Enrolled) -> None:
    run = event.enrolment.run
    begins = {"begins_at": run.starts_at.isoformat()}
    tell(event.enrolment.user, "courses.enrolled", **_values_of(run), **begins)


def _tell_waitlisted(event: Waitlisted) -> None:
    tell(event.enrolment.user, "courses.waitlisted", **_values_of(event.enrolment.run))


def _tell_seat_offered(event: SeatOffered) -> None:
    enrolment = event.enrolment
    assert enrolment.offer_expires_at is not None
    until = {"until": enrolment.offer_expires_at.isoformat()}
    tell(enrolment.user, "courses.seat_offered", **_values_of(enrolment.run), **until)


def _tell_offer_expired(event: EnrolmentEnded) -> None:
    enrolment = event.enrolment
    if enrolment.state == EnrolmentState.EXPIRED and enrolment.method == "waiting_list":
        tell(enrolment.user, "courses.offer_expired", **_values_of(enrolment.run))


def _cancelled(event: CourseRunCancelled) -> None:
    open_ones = (
        EnrolmentState.WAITLISTED,
        EnrolmentState.OFFERED,
        EnrolmentState.PENDING_PAYMENT,
        EnrolmentState.ACTIVE,
    )
    ids = db.session.scalars(
        select(Enrolment.id).where(Enrolment.run_id == event.run.id, Enrolment.state.in_(open_ones))
    ).all()
    if ids:
        enqueue("courses.tell_of_cancellation", enrolment_ids=list(ids))


def tell_of_cancellation(enrolment_ids: list[int]) -> None:
    """Tell everybody who had a place, or waited for one, that the run does not take place.

    Places that no money was paid for end here; the others end when it goes back.
    """
    people = db.session.scalars(
        select(Enrolment)
        .where(Enrolment.id.in_(enrolment_ids))
        .order_by(Enrolment.id)
        .options(joinedload(Enrolment.user), joinedload(Enrolment.run).joinedload(CourseRun.course))
    )
    for enrolment in people:
        run = enrolment.run
        tell(
            enrolment.user,
            "courses.run_cancelled",
            **_values_of(run),
            begins_at=run.starts_at.isoformat(),
            is_paid=enrolment.is_paid and enrolment.enrolled_at is not None,
        )
        if not enrolment.is_paid:
            end_enrolment(enrolment, EnrolmentState.WITHDRAWN)


SUBSCRIPTIONS = [
    Subscription(Enrolled, _tell_enrolled),
    Subscription(Waitlisted, _tell_waitlisted),
    Subscription(SeatOffered, _tell_seat_offered),
    Subscription(EnrolmentEnded, _tell_offer_expired),
    Subscription(CourseRunCancelled, _cancelled),
]
