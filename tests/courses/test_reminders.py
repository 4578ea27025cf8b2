from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.courses.events import CourseRunCancelled
from lms.courses.services import progress
from lms.courses.services.reminders import send_reminders
from lms.notifications.models import MailChoice, Notice
from lms.notifications.services import choose
from tests.factories.accounts import make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_module,
    make_run,
)

LA_PAZ = ZoneInfo("America/La_Paz")


def at(day, hour=12):
    return time_machine.travel(datetime(2027, 2, day, hour, tzinfo=LA_PAZ))


@pytest.fixture
def enrolment(app):
    """A run from 3 to 23 February 2027, La Paz time; activities due on 9 February."""
    with time_machine.travel(datetime(2027, 1, 20, tzinfo=LA_PAZ), tick=False):
        course = make_course(title={"en": "Planning"})
        first = make_module(course)
        make_activity(first, slug="one", due_day=7, title={"en": "First reading"})
        make_activity(first, slug="two", due_day=7, title={"en": "Second reading"})
        make_activity(first, slug="three", due_day=7, is_required=False)
        make_activity(make_module(course, title={"en": "Deciding"}))
        run = make_run(course, starts_on=date(2027, 2, 3), release="by_week")
        return make_enrolment(run, make_user(time_zone="America/Toronto"))


def kinds():
    return [row.kind for row in db.session.query(Notice).order_by(Notice.id)]


def test_the_day_before_people_are_told_once_in_their_own_time(enrolment, mails):
    with at(1):
        assert send_reminders() == 0
    with at(2):
        assert send_reminders() == 1
        assert send_reminders() == 0
        [mail] = mails()
    assert mail["Subject"] == "It begins tomorrow: Planning"
    assert "Feb 2, 2027, 23:00 Toronto" in mail.get_body(("plain",)).get_content()


def test_a_later_week_is_announced_when_it_opens(enrolment, mails):
    with at(9, hour=23):
        send_reminders()
    db.session.query(Notice).delete()
    with at(10):
        assert send_reminders() == 1
        assert send_reminders() == 0
    assert kinds() == ["courses.week_opened"]


def test_what_is_due_is_named_until_it_is_done(enrolment, mails):
    with at(4):
        one = enrolment.run.course.modules[0].activities[0]
        progress.complete_activity(enrolment, one)
        db.session.query(Notice).delete()
    choose(enrolment.user_id, {"courses.due_soon": MailChoice.AT_ONCE})
    with at(8):
        assert send_reminders() == 1
        assert send_reminders() == 0
        [mail] = [m for m in mails() if m["Subject"] == "Due soon: Planning"]
    body = mail.get_body(("plain",)).get_content()
    assert "Second reading" in body
    assert "First reading" not in body


def test_who_has_done_all_or_left_is_left_in_peace(enrolment):
    gone = make_enrolment(enrolment.run, state="withdrawn")
    with at(4):
        for activity in enrolment.run.course.modules[0].activities[:2]:
            progress.complete_activity(enrolment, activity)
        db.session.query(Notice).delete()
    with at(8):
        assert send_reminders() == 0
    assert gone.state == "withdrawn"


def test_a_large_cohort_is_told_in_batches(enrolment):
    for _number in range(4):
        make_enrolment(enrolment.run)
    with at(2):
        assert send_reminders(limit=3) == 3
        assert send_reminders(limit=3) == 2
        assert send_reminders(limit=3) == 0


def test_a_cancelled_run_is_told_to_all_with_a_place_or_waiting(enrolment, mails):
    waiting = make_enrolment(
        enrolment.run, state="waitlisted", waiting_since=clock.now() - timedelta(days=1)
    )
    make_enrolment(enrolment.run, state="withdrawn")
    enrolment.run.state = "cancelled"

    emit(CourseRunCancelled(enrolment.run))

    told = {mail["To"] for mail in mails() if mail["Subject"] == "Cancelled: Planning"}
    assert told == {enrolment.user.email, waiting.user.email}
    assert (enrolment.state, waiting.state) == ("withdrawn", "withdrawn")


def test_places_that_were_paid_end_with_the_refund_not_with_the_cancellation(enrolment, mails):
    enrolment.run.price = Money(10_000, "CAD")
    enrolment.run.state = "cancelled"
    enrolment.method = "payment"

    emit(CourseRunCancelled(enrolment.run))
    [mail] = [mail for mail in mails() if mail["Subject"] == "Cancelled: Planning"]

    assert enrolment.state == "active"
    assert "paid back" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize("method", ["voucher", "administrator", "waiting_list"])
def test_places_in_a_paid_run_that_cost_nothing_end_with_it(enrolment, mails, method):
    enrolment.run.price = Money(10_000, "CAD")
    enrolment.run.state = "cancelled"
    enrolment.method = method

    emit(CourseRunCancelled(enrolment.run))
    [mail] = [mail for mail in mails() if mail["Subject"] == "Cancelled: Planning"]

    assert enrolment.state == "withdrawn"
    assert mail["To"] == enrolment.user.email
    assert "paid back" not in mail.get_body(("plain",)).get_content()


def test_my_courses_shows_a_cancelled_run(signed_in, enrolment):
    enrolment.run.state = "cancelled"
    db.session.commit()

    page = signed_in(enrolment.user).get("/my/courses")

    assert "does not take place" in page.text
