"""The same form, sent twice by the same page."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, flash, redirect, request, session
from sqlalchemy import delete, func, select

from lms.app import create_app
from lms.config import Settings
from lms.core import clock
from lms.core.db import Model, db
from lms.core.errors import InvalidInput
from lms.core.limits import limiter
from lms.core.models import AuditEntry, SentForm
from lms.core.once import ABANDONED, REMEMBERED, forget_sent_forms
from lms.core.web import own_transaction, public
from tests.postgres import own_database


def note(act: str = "done") -> None:
    db.session.add(AuditEntry(act=act, subject_kind="test", subject_id="1"))
    db.session.flush()


def deeds() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0


@pytest.fixture(scope="module")
def deed_app(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An app with a few forms, and a database that threads share."""
    with own_database(settings, tmp_path_factory.mktemp("once"), "once") as own:
        app = create_app(own, testing=True)
        app.config["WTF_CSRF_ENABLED"] = False
        limiter.enabled = False

        @public
        def deed():
            if request.form.get("wrong"):
                return "wrong", 422
            note()
            if request.form.get("refused"):
                raise InvalidInput
            flash("Done.", "success")
            return redirect(f"/done/{deeds_now()}", 303)

        def deeds_now() -> int:
            return db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0

        @public
        def sign_in():
            note()
            session["_user_id"] = "somebody else"
            return redirect("/done")

        @public
        @own_transaction
        def slow():
            note()
            db.session.commit()
            return redirect("/done", 303)

        for view in (deed, sign_in, slow):
            app.add_url_rule(f"/test/{view.__name__}", view_func=view, methods=["POST"])
        with app.app_context():
            Model.metadata.create_all(db.engine)
            yield app
            db.session.close()
            db.engine.dispose()


def test_a_second_click_is_led_to_the_same_place_and_does_nothing(deed_app):
    browser, before = deed_app.test_client(), deeds()

    first = browser.post("/test/deed", data={"once": "a", "text": "x"})
    second = browser.post("/test/deed", data={"once": "a", "text": "x"})

    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert deeds() == before + 1
    with browser.session_transaction() as kept:
        assert kept["_flashes"] == [("success", "Done.")]


@pytest.mark.parametrize("view", ["deed", "slow"])
def test_clicks_at_the_same_moment_do_one_deed(deed_app, view):
    before, barrier, answers = deeds(), threading.Barrier(6), []
    db.session.rollback()

    def click() -> None:
        browser = deed_app.test_client()
        barrier.wait()
        answers.append(browser.post(f"/test/{view}", data={"once": f"together-{view}"}))

    threads = [threading.Thread(target=click) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({(answer.status_code, answer.location) for answer in answers}) == 1
    assert deeds() == before + 1


@pytest.mark.parametrize(
    "other",
    [{"once": "other"}, {"text": "other"}, {"file": (io.BytesIO(b"other"), "a.txt")}],
    ids=["page", "text", "file"],
)
def test_another_page_text_or_file_is_another_deed(deed_app, other):
    browser, before = deed_app.test_client(), deeds()
    word = f"base-{sorted(other)}"
    same = {"once": word, "text": "x"}

    browser.post("/test/deed", data=same | {"file": (io.BytesIO(b"one"), "a.txt")})
    browser.post("/test/deed", data=same | {"file": (io.BytesIO(b"one"), "a.txt")} | other)

    assert deeds() == before + 2


def test_another_visitor_does_not_see_where_it_led(deed_app):
    before = deeds()
    for number in range(2):
        browser = deed_app.test_client()
        with browser.session_transaction() as kept:
            kept["csrf_token"] = str(number)
        browser.post("/test/deed", data={"once": "shared"})

    assert deeds() == before + 2


def test_a_refused_form_may_be_sent_again(deed_app):
    browser, before = deed_app.test_client(), deeds()

    for wrong in ({"wrong": "1"}, {"refused": "1"}):
        for _twice in range(2):
            assert browser.post("/test/deed", data={"once": "r"} | wrong).status_code == 422

    assert deeds() == before
    assert db.session.scalar(select(func.count()).where(SentForm.answer.is_(None))) == 0


def test_signing_in_twice_signs_in_once_and_gives_both_clicks_the_same_cookie(deed_app):
    before, who = deeds(), []
    for _twice in range(2):
        browser = deed_app.test_client()
        browser.post("/test/sign_in", data={"once": "s"})
        with browser.session_transaction() as kept:
            who.append(kept["_user_id"])

    assert who == ["somebody else"] * 2
    assert deeds() == before + 1
    assert "somebody else" not in str(db.session.scalars(select(SentForm.answer)).all())


def test_scripts_mind_their_own_clicks(deed_app):
    browser, before = deed_app.test_client(), deeds()
    for _twice in range(2):
        browser.post("/test/deed", data={"once": "h"}, headers={"HX-Request": "true"})

    assert deeds() == before + 2


def test_what_was_sent_is_forgotten_after_a_while(deed_app):
    browser, before = deed_app.test_client(), deeds()
    browser.post("/test/deed", data={"once": "late"})
    later = clock.now() + REMEMBERED + timedelta(seconds=1)

    with clock.set_to(later):
        browser.post("/test/deed", data={"once": "late"})
        assert deeds() == before + 2
        forget_sent_forms()
        left = db.session.scalar(select(func.count()).select_from(SentForm))
        db.session.commit()

    assert left == 1


def test_a_form_whose_process_died_may_be_sent_again(deed_app):
    before = deeds()
    db.session.execute(delete(SentForm))
    db.session.commit()
    browser = deed_app.test_client()
    browser.post("/test/slow", data={"once": "died"})
    row = db.session.scalars(select(SentForm)).one()
    row.answer, row.sent_at = None, clock.now() - ABANDONED - timedelta(seconds=1)
    db.session.commit()

    browser.post("/test/slow", data={"once": "died"})

    assert deeds() == before + 2
