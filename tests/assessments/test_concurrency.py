"""Two requests at the very same time, on a database of their own with real transactions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.accounts.models import User
from lms.accounts.services.sign_ins import open_sign_in
from lms.app import create_app
from lms.assessments.models import QuizAttempt
from lms.config import Settings
from lms.core.db import Model, db
from tests.conftest import DATABASE
from tests.factories.assessments import make_attempt, make_learner, make_quiz
from tests.postgres import postgres_server

CLICKS = 6


@pytest.fixture
def own_app(tmp_path) -> Iterator[Flask]:
    with ExitStack() as stack:
        url = stack.enter_context(postgres_server()) if DATABASE == "postgresql" else None
        app = create_app(
            Settings(
                data_dir=tmp_path,
                database_url=url,
                rate_limits=False,
                secret_key="a key for tests only",
                log_level="ERROR",
            ),
            testing=True,
        )
        app.config["WTF_CSRF_ENABLED"] = False
        with app.app_context():
            Model.metadata.create_all(db.engine)
        yield app
        with app.app_context():
            db.engine.dispose()


def click_at_once(app: Flask, session_id: str, path: str, data: dict[str, str]) -> list:
    """The answers to several equal requests that start together."""
    together = Barrier(CLICKS)

    def click(_number: int):
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"], session["_fresh"] = session_id, True
        together.wait()
        return browser.post(path, data=data)

    with ThreadPoolExecutor(CLICKS) as pool:
        return list(pool.map(click, range(CLICKS)))


@pytest.mark.slow
def test_many_clicks_on_start_at_once_make_one_attempt(own_app):
    with own_app.app_context():
        quiz = make_quiz(attempts=1)
        enrolment = make_learner(quiz)
        user = db.session.get_one(User, enrolment.user_id)
        session_id, path = open_sign_in(user), f"/study/{enrolment.run_id}/{quiz.slug}/attempts"
        db.session.commit()

    answers = click_at_once(own_app, session_id, path, {})

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    with own_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(QuizAttempt)) == 1


@pytest.mark.slow
def test_many_clicks_on_hand_in_at_once_grade_once(own_app):
    with own_app.app_context():
        quiz = make_quiz()
        enrolment = make_learner(quiz)
        attempt = make_attempt(enrolment, quiz)
        user = db.session.get_one(User, enrolment.user_id)
        session_id, path = open_sign_in(user), f"/assessments/attempts/{attempt.id}"
        [question_id] = attempt.question_ids
        attempt_id = attempt.id
        db.session.commit()

    answers = click_at_once(own_app, session_id, path, {"answers": "sent", f"q{question_id}": "a"})

    assert {answer.location for answer in answers} == {f"{path}/result"}
    assert {answer.status_code for answer in answers} == {303}
    with own_app.app_context():
        kept = db.session.get_one(QuizAttempt, attempt_id)
        assert kept.score == 1.0
        assert len(kept.responses) == 1
