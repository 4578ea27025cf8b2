from __future__ import annotations

import re
from datetime import date

from icalendar import Calendar

from lms.core.db import db
from lms.courses.services.calendar import feed_token
from tests.factories.accounts import make_user
from tests.factories.courses import make_activity, make_enrolment, make_module, make_run


def feed_of(page):
    [path] = re.findall(r"http://puente\.test(/calendar/[^\"]+\.ics)", page.text)[:1]
    return path


def make_studying():
    run = make_run(starts_on=date(2027, 2, 1), time_zone="America/La_Paz")
    make_activity(
        make_module(run.course),
        slug="welcome",
        due_day=7,
        title={"en": "Hello", "es": "Uno; a, b"},
    )
    make_activity(run.course.modules[0], due_day=None)
    return make_enrolment(run, make_user(language="es"))


def test_the_feed_holds_due_dates_in_the_owners_language(client, signed_in):
    enrolment = make_studying()
    path = feed_of(signed_in(enrolment.user).get("/my/calendar"))

    answer = client.get(path)
    calendar = Calendar.from_ical(answer.data)

    assert answer.content_type.startswith("text/calendar")
    events = {str(event["summary"]): event for event in calendar.walk("VEVENT")}
    [due] = [event for summary, event in events.items() if "Uno; a, b" in summary]
    assert due["dtend"].dt.isoformat() == "2027-02-08T03:59:59+00:00"  # end of 7 Feb in La Paz
    assert "dtstamp" in due
    assert len(events) == 2


def test_events_keep_their_identity(client, signed_in):
    enrolment = make_studying()
    path = feed_of(signed_in(enrolment.user).get("/my/calendar"))

    def uids():
        calendar = Calendar.from_ical(client.get(path).data)
        return [str(event["uid"]) for event in calendar.walk("VEVENT")]

    first = uids()
    enrolment.run.starts_on = date(2027, 2, 3)
    db.session.commit()

    assert uids() == first
    assert len(set(first)) == len(first)


def test_a_new_address_ends_the_old_one(client, signed_in):
    enrolment = make_studying()
    browser = signed_in(enrolment.user)
    old = feed_of(browser.get("/my/calendar"))

    assert browser.post("/my/calendar/renew").status_code == 303
    new = feed_of(browser.get("/my/calendar"))

    assert client.get(old).status_code == 404
    assert client.get(new).status_code == 200


def test_wrong_addresses_and_closed_accounts_show_nothing(client, app):
    enrolment = make_studying()
    token = feed_token(enrolment.user)

    assert client.get("/calendar/nonsense.ics").status_code == 404
    assert client.get(f"/calendar/{token[:-2]}xx.ics").status_code == 404
    enrolment.user.closed_at = enrolment.enrolled_at
    db.session.commit()
    assert client.get(f"/calendar/{token}.ics").status_code == 404
    assert client.get("/my/calendar").status_code == 302


def test_a_run_one_has_left_is_not_in_the_feed(client):
    enrolment = make_studying()
    enrolment.state = "withdrawn"
    db.session.commit()

    feed = client.get(f"/calendar/{feed_token(enrolment.user)}.ics")

    assert b"VEVENT" not in feed.data
