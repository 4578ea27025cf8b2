from __future__ import annotations

from datetime import timedelta

import pytest

from lms.core import clock
from lms.core.db import db
from lms.courses.models import Enrolment, EnrolmentState, Progress
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_instructor,
    make_module,
    make_run,
)


@pytest.fixture
def enrolment(app):
    """A learner in a run of two weeks; the second opens in four days."""
    course = make_course(slug="planning", title={"en": "Planning", "es": "Planificar"})
    week = make_module(course, title={"en": "Seeing", "es": "Ver"})
    make_activity(week, slug="welcome", completion="viewed", due_day=7, minutes=5)
    make_activity(
        week,
        slug="actors",
        completion="marked_done",
        due_day=2,
        title={"en": "Mapping actors", "es": "Mapa de actores"},
        text={"en": "Who **decides**?", "es": "¿Quién *decide*?"},
    )
    make_activity(week, slug="extra", is_required=False, completion="marked_done")
    make_activity(make_module(course), slug="later", due_day=14)
    return make_enrolment(make_run(course, release="by_week"))


def progress_of(slug):
    return db.session.query(Progress).join(Progress.activity).filter_by(slug=slug).one_or_none()


def address(enrolment, slug=""):
    return f"/study/{enrolment.run_id}/{slug}".rstrip("/")


def test_the_study_page_shows_text_outline_and_progress(signed_in, enrolment):
    page = signed_in(enrolment.user).get(address(enrolment, "actors"))

    assert page.status_code == 200
    assert "Who <strong>decides</strong>?" in page.text
    assert "0 of 3 done" in page.text
    assert "Week 1 · Seeing" in page.text
    assert "Not open yet" in page.text
    assert "1 activity is past its date" in page.text


def test_reading_a_page_leaves_no_trace_by_itself(signed_in, enrolment):
    signed_in(enrolment.user).get(address(enrolment, "welcome"))

    assert progress_of("welcome") is None


def test_the_beacon_completes_what_is_done_by_viewing(signed_in, enrolment):
    browser = signed_in(enrolment.user)

    assert browser.post(address(enrolment, "welcome") + "/viewed").status_code == 204
    assert browser.post(address(enrolment, "actors") + "/viewed").status_code == 204

    assert progress_of("welcome").completed_at is not None
    assert progress_of("actors").completed_at is None
    assert "data-viewed-url" not in browser.get(address(enrolment, "welcome")).text


def test_the_next_button_works_without_script(signed_in, enrolment):
    browser = signed_in(enrolment.user)

    first = browser.post(address(enrolment, "welcome") + "/done")
    second = browser.post(address(enrolment, "welcome") + "/done")

    assert first.status_code == second.status_code == 303
    assert first.location == address(enrolment, "actors")
    assert db.session.query(Progress).count() == 1


def test_the_last_open_step_leads_to_my_courses_and_says_when_it_goes_on(signed_in, enrolment):
    browser = signed_in(enrolment.user)

    answer = browser.post(address(enrolment, "extra") + "/done")

    assert answer.location == "/my/courses"
    assert "The next week opens" in browser.get("/my/courses").text


def test_the_last_activity_completes_the_course(signed_in, enrolment):
    enrolment.run.release = "at_once"
    db.session.commit()
    browser = signed_in(enrolment.user)
    for slug in ("welcome", "actors"):
        browser.post(address(enrolment, slug) + "/done")

    answer = browser.post(address(enrolment, "later") + "/done")

    assert "Congratulations" in browser.get(answer.location).text
    assert db.session.get(Enrolment, enrolment.id).state == EnrolmentState.COMPLETED


def test_a_locked_week_says_when_it_opens_and_takes_nothing(signed_in, enrolment):
    browser = signed_in(enrolment.user)

    page = browser.get(address(enrolment, "later"))
    answer = browser.post(address(enrolment, "later") + "/done")

    assert page.status_code == answer.status_code == 403
    assert "It opens" in page.text
    assert "La Paz" in page.text
    assert progress_of("later") is None


def test_one_goes_on_where_one_left_off(signed_in, enrolment):
    browser = signed_in(enrolment.user)

    assert browser.get(address(enrolment)).location == address(enrolment, "welcome")
    browser.post(address(enrolment, "actors") + "/viewed")
    assert browser.get(address(enrolment)).location == address(enrolment, "actors")
    browser.post(address(enrolment, "actors") + "/done")
    assert browser.get(address(enrolment)).location == address(enrolment, "welcome")


def test_before_the_first_day_one_is_told_when_it_begins(signed_in):
    run = make_run(starts_on=clock.now().date() + timedelta(days=5))
    make_activity(make_module(run.course))
    enrolment = make_enrolment(run)

    page = signed_in(enrolment.user).get(f"/study/{run.id}")

    assert page.status_code == 200
    assert "The course has not begun yet" in page.text


def test_the_reader_can_switch_to_another_language_of_the_course(signed_in, enrolment):
    browser = signed_in(enrolment.user)

    page = browser.get(address(enrolment, "actors") + "?read=es")

    assert "¿Quién <em>decide</em>?" in page.text
    assert "Mapa de actores" in page.text
    assert '<article id="activity" tabindex="-1" lang="es"' in page.text
    assert "My courses" in page.text
    assert "¿Quién" in browser.get(address(enrolment, "actors")).text
    assert "Who" in browser.get(address(enrolment, "actors") + "?read=en").text
    assert "Who" in browser.get(address(enrolment, "actors") + "?read=xx").text


@pytest.mark.parametrize("slug", ["", "actors"])
def test_the_study_pages_are_closed_to_others(client, signed_in, enrolment, slug):
    left = make_enrolment(enrolment.run, state="withdrawn")
    waiting = make_enrolment(enrolment.run, state="waitlisted")
    teacher_elsewhere = make_instructor(make_course())

    assert client.get(address(enrolment, slug)).status_code == 302
    for person in (make_user(), left.user, waiting.user, teacher_elsewhere):
        assert signed_in(person).get(address(enrolment, slug)).status_code == 403
    for person in (make_user(), left.user):
        browser = signed_in(person)
        answer = browser.post(address(enrolment, "welcome") + "/done")
        assert answer.status_code in (403, 404)
    assert db.session.query(Progress).count() == 0


def test_instructors_and_administrators_look_without_traces(signed_in, enrolment):
    for person in (make_instructor(enrolment.run.course), make_administrator()):
        browser = signed_in(person)

        page = browser.get(address(enrolment, "later"))

        assert page.status_code == 200
        assert "Preview" in page.text
        assert "data-viewed-url" not in page.text
        assert browser.post(address(enrolment, "later") + "/done").status_code == 404
        first = browser.get(browser.get("/preview/planning").location)
        assert first.status_code == 200
        assert "Preview" in first.text
        assert browser.get("/preview/planning/nothing").status_code == 404
    assert db.session.query(Progress).count() == 0


def test_the_preview_is_closed_to_learners(client, signed_in, enrolment):
    browser = signed_in(enrolment.user)

    assert browser.get("/preview/planning").status_code == 403
    assert browser.get("/preview/planning/actors").status_code == 403
    assert browser.get(address(enrolment, "actors") + "?preview").status_code == 403
    assert client.get("/preview/planning").status_code == 302


def test_unpublished_and_unknown_activities_are_not_there(signed_in, enrolment):
    make_activity(enrolment.run.course.modules[0], slug="draft", is_published=False)
    browser = signed_in(enrolment.user)

    assert browser.get(address(enrolment, "draft")).status_code == 404
    assert browser.get(address(enrolment, "nothing")).status_code == 404
    assert browser.get("/study/999999").status_code == 404


def test_a_kind_whose_room_is_switched_off_does_not_break_the_page(signed_in, enrolment):
    make_activity(enrolment.run.course.modules[0], slug="odd", kind="hologram")

    page = signed_in(enrolment.user).get(address(enrolment, "odd"))

    assert page.status_code == 200
    assert "switched off" in page.text


def test_the_study_page_asks_the_database_at_most_twelve_times(signed_in, enrolment, count_queries):
    for _number in range(4):
        module = make_module(enrolment.run.course)
        for _activity in range(5):
            make_activity(module)
    browser = signed_in(enrolment.user)
    count_queries()

    browser.get(address(enrolment, "actors"))

    assert count_queries() <= 12


def test_my_courses_shows_what_is_next_waits_and_is_done(signed_in, enrolment):
    user = enrolment.user
    done = make_enrolment(
        make_run(make_course(title={"en": "Finished"})),
        user,
        state="completed",
        completed_at=clock.now(),
    )
    full = make_run(make_course(title={"en": "Wanted"}), capacity=1)
    make_enrolment(full, state="waitlisted", waiting_since=clock.now() - timedelta(days=1))
    make_enrolment(full, user, state="waitlisted", waiting_since=clock.now())

    page = signed_in(user).get("/my/courses")

    assert page.status_code == 200
    assert "0 of 3 done" in page.text
    assert address(enrolment, "welcome") in page.text
    assert "You are number 2 on the waiting list" in page.text
    assert "Finished" in page.text
    assert done.state == EnrolmentState.COMPLETED


def test_my_courses_of_a_newcomer_leads_to_the_catalogue(signed_in, client):
    assert "You are not enrolled" in signed_in(make_user()).get("/my/courses").text
    assert client.get("/my/courses").status_code == 302


def test_my_courses_asks_the_database_at_most_twelve_times(signed_in, count_queries):
    user = make_user()
    for _number in range(10):
        course = make_course()
        for _module in range(3):
            module = make_module(course)
            for _activity in range(4):
                make_activity(module)
        make_enrolment(make_run(course), user)
    make_enrolment(make_run(), user, state="waitlisted", waiting_since=clock.now())
    browser = signed_in(user)
    count_queries()

    browser.get("/my/courses")

    assert count_queries() <= 12
