"""What a learner watches of a film is recorded, also without a line for a while."""

from __future__ import annotations

import sqlite3
import uuid

import pytest

from tests.browser.conftest import sign_in, watch
from tests.browser.steps import PAID
from tests.xapi.asking import basic

FILM = "a-meeting-that-decides"
SEARCH = """
SELECT users.email, course_runs.id, enrolments.registration FROM enrolments
JOIN users ON users.id = user_id JOIN course_runs ON course_runs.id = run_id
JOIN courses ON courses.id = course_id
WHERE courses.slug = ? AND enrolments.state = 'active' ORDER BY enrolments.id DESC LIMIT 1
"""


@pytest.fixture
def learner(site) -> tuple[str, int, str]:
    """Address, run and registration of somebody who studies the course."""
    with sqlite3.connect(site.data_dir / "puente.sqlite3") as database:
        return database.execute(SEARCH, (PAID,)).fetchone()


@pytest.fixture
def recorded(site, page, learner):
    """Verbs of the film's statements in this registration, oldest first."""
    access = site.demo["xapi"]
    headers = {
        "Authorization": basic(access["key"], access["secret"]),
        "X-Experience-API-Version": "1.0.3",
    }

    def read() -> list[str]:
        query = {"registration": str(uuid.UUID(learner[2])), "ascending": "true"}
        answer = page.request.get("/xapi/statements", params=query, headers=headers)
        return [
            one["verb"]["id"].rsplit("/", 1)[-1]
            for one in answer.json()["statements"]
            if "https://w3id.org/xapi/video/extensions/session-id" in str(one)
        ]

    return read


def wait_for(page, recorded, *verbs: str) -> None:
    for _try in range(60):
        if recorded() == list(verbs):
            return
        page.wait_for_timeout(250)
    raise AssertionError(recorded())


def test_a_film_is_recorded_and_what_was_watched_offline_arrives_later(page, learner, recorded):
    watch(page)
    sign_in(page, learner[0])
    page.goto(f"/study/{learner[1]}/{FILM}")
    film = page.locator("video")
    film.evaluate("film => { film.muted = true; return film.play() }")
    film.evaluate(
        "film => new Promise((done) =>"
        " film.addEventListener('timeupdate', () => film.currentTime > 1 && done()))"
    )
    wait_for(page, recorded, "initialized", "played")

    page.context.set_offline(True)
    film.evaluate("film => { film.currentTime = 60; film.pause() }")
    page.wait_for_timeout(1500)
    assert page.evaluate("Object.keys(localStorage).some((key) => key.startsWith('playback:'))")
    page.context.set_offline(False)
    wait_for(page, recorded, "initialized", "played", "paused", "seeked")

    page.goto("/my/courses")
    wait_for(page, recorded, "initialized", "played", "paused", "seeked", "terminated")
