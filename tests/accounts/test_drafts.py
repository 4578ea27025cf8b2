from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from lms.accounts import queries
from lms.accounts.services import drafts
from lms.core import clock
from lms.core.db import db
from tests.factories.accounts import make_user


@pytest.fixture
def ana(app):
    return make_user()


def test_a_draft_is_kept_replaced_read_and_discarded(ana, signed_in):
    browser = signed_in(ana)
    assert browser.get("/drafts/post/7").status_code == 404

    assert browser.put("/drafts/post/7", json={"text": "one"}).status_code == 200
    assert browser.put("/drafts/post/7", json={"text": "two"}).status_code == 200

    answer = browser.get("/drafts/post/7").json
    assert (answer["key"], answer["content"]) == ("post/7", {"text": "two"})
    assert browser.delete("/drafts/post/7").status_code == 204
    assert browser.delete("/drafts/post/7").status_code == 204
    assert browser.get("/drafts/post/7").status_code == 404


def test_the_script_sends_the_fields_of_a_form(ana, signed_in):
    browser = signed_in(ana)

    browser.post("/drafts/quiz-1", data={"csrf_token": "x", "answer": ["a", "b"], "text": "why"})

    assert queries.find_draft(ana.id, "quiz-1").content == {"answer": ["a", "b"], "text": "why"}


def test_drafts_are_ones_own(ana, signed_in, client):
    signed_in(ana).put("/drafts/secret", json={"text": "mine"})

    assert signed_in(make_user()).get("/drafts/secret").status_code == 404
    program = {"Accept": "application/json"}
    assert client.get("/drafts/secret", headers=program).status_code == 401
    assert client.put("/drafts/secret", json={}, headers=program).status_code == 401
    assert client.delete("/drafts/secret", headers=program).status_code == 401


def test_a_draft_has_a_largest_size(ana, signed_in):
    browser = signed_in(ana)

    assert browser.put("/drafts/a", json={"text": "x" * 60_000}).status_code == 200
    assert browser.put("/drafts/a", json={"text": "x" * 66_000}).status_code == 413
    assert browser.put("/drafts/" + "k" * 121, json={}).status_code == 422
    assert browser.put("/drafts/a", json=["no", "object"]).status_code == 422
    assert browser.put("/drafts/a", data=b"{", content_type="application/json").status_code == 400


def test_a_person_keeps_so_many_drafts_and_no_more(ana, signed_in, monkeypatch):
    monkeypatch.setattr(drafts, "MOST", 2)
    browser = signed_in(ana)

    answers = [browser.put(f"/drafts/{key}", json={"t": 1}).status_code for key in "abca"]

    assert answers == [200, 200, 409, 200]


def test_drafts_nobody_touched_are_removed(ana, signed_in):
    signed_in(ana).put("/drafts/old", json={"t": 1})
    with time_machine.travel(clock.now() + timedelta(days=91), tick=False):
        signed_in(ana).put("/drafts/new", json={"t": 1})
        drafts.remove_old_drafts()
        db.session.commit()

    assert queries.find_draft(ana.id, "old") is None
    assert queries.find_draft(ana.id, "new") is not None


def test_a_draft_with_an_unstorable_sign_is_no_bug(ana, signed_in):
    answer = signed_in(ana).put("/drafts/a", json={"text": "\x00"})

    assert answer.status_code in (200, 422)  # PostgreSQL cannot keep it
