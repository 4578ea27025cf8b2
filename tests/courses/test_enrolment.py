from __future__ import annotations

from datetime import timedelta

import pytest

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.personal_data import personal_data
from lms.courses.models import Enrolment, EnrolmentState
from lms.courses.services import enrolment as services
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_instructor,
    make_module,
    make_run,
)


def state_of(run, user):
    return db.session.query(Enrolment).filter_by(run_id=run.id, user_id=user.id).one().state


def test_a_free_run_is_entered_after_a_confirmation(signed_in, mails):
    run = make_run(make_course(title={"en": "Planning"}))
    make_activity(make_module(run.course))
    user = make_user()
    browser = signed_in(user)

    page = browser.get(f"/runs/{run.id}/enrol")
    answer = browser.post(f"/runs/{run.id}/enrol")

    assert "Enrol in Planning" in page.text
    assert answer.status_code == 303
    assert answer.location == f"/study/{run.id}"
    assert state_of(run, user) == EnrolmentState.ACTIVE
    [mail] = mails()
    assert mail["Subject"] == "You are enrolled: Planning"
    assert f"/study/{run.id}" in mail.get_body(("plain",)).get_content()


def test_the_second_click_enrols_nobody_twice(signed_in, mails):
    run = make_run()
    user = make_user()
    browser = signed_in(user)

    first, second = (browser.post(f"/runs/{run.id}/enrol") for _ in range(2))

    assert first.status_code == second.status_code == 303
    assert db.session.query(Enrolment).count() == 1
    assert len(mails()) == 1


def test_a_stranger_is_sent_to_sign_in_and_back(client):
    run = make_run()

    answer = client.get(f"/runs/{run.id}/enrol")

    assert answer.status_code == 302
    assert f"next=/runs/{run.id}/enrol" in answer.location.replace("%2F", "/")
    assert client.post(f"/runs/{run.id}/enrol").status_code == 302
    assert db.session.query(Enrolment).count() == 0


def test_a_paid_run_is_not_entered_for_free(signed_in):
    run = make_run(price=Money(18000, "CAD"))
    browser = signed_in(make_user())

    assert browser.get(f"/runs/{run.id}/enrol").status_code == 302
    assert browser.post(f"/runs/{run.id}/enrol").status_code == 303
    assert db.session.query(Enrolment).count() == 0


def test_a_full_run_offers_its_waiting_list_instead(signed_in):
    run = make_run(capacity=1)
    make_enrolment(run)
    browser = signed_in(make_user())

    page = browser.get(f"/courses/{run.course.slug}")
    answer = browser.post(f"/runs/{run.id}/enrol")

    assert f"/runs/{run.id}/waiting-list" in page.text
    assert f"/runs/{run.id}/enrol" not in page.text
    assert answer.status_code == 409
    assert "waiting list" in answer.text


@pytest.mark.parametrize(
    "window",
    [
        {"enrolment_opens_at": clock.now() + timedelta(days=1)},
        {"enrolment_closes_at": clock.now() - timedelta(days=1)},
        {"starts_on": clock.now().date() - timedelta(days=40)},
    ],
)
def test_outside_of_the_enrolment_window_nobody_enters(signed_in, window):
    run = make_run(**window)
    browser = signed_in(make_user())

    assert browser.post(f"/runs/{run.id}/enrol").status_code == 409
    assert browser.post(f"/runs/{run.id}/waiting-list").status_code == 409
    assert db.session.query(Enrolment).count() == 0


@pytest.mark.parametrize("state", ["draft", "cancelled"])
def test_runs_that_are_not_public_cannot_be_entered(signed_in, state):
    run = make_run(state=state)

    assert signed_in(make_user()).get(f"/runs/{run.id}/enrol").status_code == 403
    assert signed_in(make_user()).post(f"/runs/{run.id}/enrol").status_code == 403


@pytest.mark.parametrize("page", ["enrol", "waiting-list"])
def test_a_draft_run_says_the_same_to_everybody_on_every_page(signed_in, page):
    run = make_run(state="draft")
    closed = "Enrolment in this course run is not open."
    learner, administrator = signed_in(make_user()), signed_in(make_administrator())
    path = f"/runs/{run.id}/{page}"

    for answer in (learner.get(path), learner.post(path)):
        assert (answer.status_code, closed in answer.text) == (403, True)
        assert "does not allow this" not in answer.text
    assert administrator.get(path).text.count(closed) == 1
    refused = administrator.post(path)
    assert (refused.status_code, refused.text.count(closed)) == (409, 1)
    assert signed_in(make_user()).get("/runs/987654/enrol").status_code == 404


def test_waiting_offered_taken(signed_in, mails):
    run = make_run(make_course(slug="planning", title={"en": "Planning"}), capacity=1)
    make_activity(make_module(run.course))
    first = make_enrolment(run)
    user = make_user()
    browser = signed_in(user)

    assert "Nobody is waiting before you" in browser.get(f"/runs/{run.id}/waiting-list").text
    browser.post(f"/runs/{run.id}/waiting-list")
    browser.post(f"/runs/{run.id}/waiting-list")
    assert state_of(run, user) == EnrolmentState.WAITLISTED
    assert "You are number 1" in browser.get("/my/courses").text
    assert "You are number 1" in browser.get("/courses/planning").text

    signed_in(first.user).post(f"/runs/{run.id}/leave")
    assert state_of(run, user) == EnrolmentState.OFFERED
    assert "Take the place" in browser.get("/my/courses").text
    assert "A place is held for you" in browser.get("/courses/planning").text
    browser.post(f"/runs/{run.id}/enrol")

    assert state_of(run, user) == EnrolmentState.ACTIVE
    subjects = [mail["Subject"] for mail in mails() if mail["To"] == user.email]
    assert subjects == [
        "You are on the waiting list: Planning",
        "A place is free for you: Planning",
        "You are enrolled: Planning",
    ]


def test_an_offer_that_nobody_takes_goes_to_the_next(signed_in, mails):
    run = make_run(capacity=1)
    late = make_enrolment(
        run,
        state="offered",
        method="waiting_list",
        offer_expires_at=clock.now() - timedelta(minutes=1),
    )
    patient = make_enrolment(run, state="waitlisted", waiting_since=clock.now())

    assert services.release_expired_seats() == 1
    db.session.commit()

    assert db.session.get(Enrolment, late.id).state == EnrolmentState.EXPIRED
    assert db.session.get(Enrolment, patient.id).state == EnrolmentState.OFFERED
    subjects = sorted(mail["Subject"].split(":")[0] for mail in mails())
    assert subjects == ["A place is free for you", "Your place was not taken"]


def test_leaving_says_what_it_means_and_is_safe_to_repeat(signed_in):
    enrolment = make_enrolment()
    browser = signed_in(enrolment.user)

    page = browser.get(f"/runs/{enrolment.run_id}/leave")
    first, second = (browser.post(f"/runs/{enrolment.run_id}/leave") for _ in range(2))

    assert "You receive no certificate" in page.text
    assert first.status_code == second.status_code == 303
    assert db.session.get(Enrolment, enrolment.id).state == EnrolmentState.WITHDRAWN
    assert browser.get(f"/study/{enrolment.run_id}").status_code == 403


def test_nobody_leaves_for_somebody_else_or_after_completion(client, signed_in):
    enrolment = make_enrolment(state="completed", completed_at=clock.now())
    address = f"/runs/{enrolment.run_id}/leave"

    assert client.post(address).status_code == 302
    assert signed_in(make_user()).post(address).status_code == 404
    assert signed_in(make_instructor(enrolment.run.course)).post(address).status_code == 404
    assert signed_in(enrolment.user).post(address).status_code == 403
    assert db.session.get(Enrolment, enrolment.id).state == EnrolmentState.COMPLETED


def test_who_comes_back_goes_on_where_they_stopped(signed_in):
    run = make_run()
    activity = make_activity(make_module(run.course), completion="marked_done")
    make_activity(run.course.modules[0])
    user = make_user()
    browser = signed_in(user)
    browser.post(f"/runs/{run.id}/enrol")
    browser.post(f"/study/{run.id}/{activity.slug}/done")
    browser.post(f"/runs/{run.id}/leave")

    browser.post(f"/runs/{run.id}/enrol")

    assert "1 of 2 done" in browser.get("/my/courses").text


def test_a_persons_data_is_exported_and_places_are_given_back(app):
    enrolment = make_enrolment()
    done = make_enrolment(make_run(), enrolment.user, state="completed")

    data = personal_data["courses"].export(enrolment.user_id)
    personal_data["courses"].erase(enrolment.user_id)

    assert [row["state"] for row in data["enrolments"]] == ["active", "completed"]
    assert enrolment.state == EnrolmentState.WITHDRAWN
    assert done.state == EnrolmentState.COMPLETED
