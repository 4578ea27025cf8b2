"""What is kept drawn: found again while nothing changed, and never shown when something did."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.core import fragments
from lms.core.db import db, transaction
from lms.core.stamps import Stamp, stamp_of, touch
from lms.courses.queries import catalogue, courses
from tests.factories.accounts import make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_module,
    make_run,
)


def word(name):
    found = stamp_of(name)
    db.session.rollback()
    return found


def test_a_stamp_changes_with_each_change_of_what_it_watches_and_with_nothing_else(app):
    course = make_course()
    first = word(catalogue.STAMP)
    assert first

    with transaction():
        course.title = {"en": "Another title"}
    second = word(catalogue.STAMP)
    with transaction():
        make_user()
    assert word(catalogue.STAMP) == second != first

    structure = word(courses.STRUCTURE)
    make_activity(make_module(course))
    assert word(courses.STRUCTURE) != structure


def test_a_change_that_is_taken_back_leaves_the_stamp(app):
    course = make_course()
    before = word(catalogue.STAMP)

    def fail():
        with transaction():
            course.title = {"en": "Another title"}
            db.session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with transaction():
        db.session.execute(select(Stamp))

    assert word(catalogue.STAMP) == before


def test_changes_past_the_session_are_told_by_hand(app):
    make_course()
    before = word(catalogue.STAMP)

    with transaction():
        touch(catalogue.STAMP)

    assert word(catalogue.STAMP) != before


def test_the_catalogue_shows_a_new_title_and_a_taken_seat_at_once(client):
    run = make_run(make_course(title={"en": "Water"}), capacity=20)
    assert "Water" in client.get("/courses").text
    assert "Water" in client.get("/courses").text  # from what was kept

    with transaction():
        run.course.title = {"en": "Wells"}
    page = client.get("/courses").text
    assert "Wells" in page
    assert "Water" not in page
    assert "Few places left" not in page

    for _ in range(18):
        make_enrolment(run)
    assert "Few places left" in client.get("/courses").text


def test_learners_see_a_changed_outline_at_once(signed_in):
    enrolment = make_enrolment()
    module = make_module(enrolment.run.course)
    page = make_activity(module, title={"en": "Reading one"})
    other = make_activity(module, title={"en": "Reading two"})
    browser = signed_in(enrolment.user)
    address = f"/study/{enrolment.run_id}/{page.slug}"
    assert "Reading two" in browser.get(address).text

    with transaction():
        other.title = {"en": "Reading changed"}
    text = browser.get(address).text

    assert "Reading changed" in text
    assert "Reading two" not in text


def test_what_is_kept_takes_no_more_room_than_it_may(monkeypatch):
    monkeypatch.setattr(fragments, "_kept", {})
    monkeypatch.setattr(fragments, "_room_taken", 0)
    monkeypatch.setattr(fragments, "ROOM", 100)

    for number in range(10):
        fragments.keep(number, "x" * 30, 30)

    assert [n for n in range(10) if fragments.find_kept(n)] == [7, 8, 9]


def test_the_frame_holds_the_token_and_the_name_of_each_visitor_only(client, signed_in):
    enrolments = [make_enrolment(), make_enrolment()]
    pages = [signed_in(one.user).get("/courses").text for one in enrolments]

    for one, page, other in zip(enrolments, pages, reversed(enrolments), strict=True):
        assert one.user.name in page
        assert one.user.name == other.user.name or other.user.name not in page
        assert "\0" not in page
    assert pages[0].split('name="csrf-token" content="')[1][:20] in pages[0].split("<body", 1)[1]
    assert "Sign in" in client.get("/courses").text
