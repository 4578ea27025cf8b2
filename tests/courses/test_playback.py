"""Playing a film is recorded as the published video profile wants it."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import orjson
import pytest
from flask_babel import force_locale
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.courses.models import Playback, Progress
from lms.courses.services.playback import union
from lms.courses.services.progress import view_activity
from lms.xapi.models import StoredStatement
from lms.xapi.profile.document import template_document
from lms.xapi.profile.video import VIDEO_TEMPLATES
from lms.xapi.queries import statements_of_registration
from lms.xapi.sentences import sentences
from lms.xapi.services.store import store_statements
from lms.xapi.validation import check_statement
from lms.xapi.vocabulary import VIDEO, video_extension
from tests.courses.test_activity_types import add_media
from tests.factories.accounts import make_user
from tests.factories.courses import make_activity, make_enrolment, make_module, make_run
from tests.xapi.profile_rules import broken_rules, fits

PLAYER = {
    "speed": "1x", "volume": 0.5, "full-screen": False, "cc-subtitle-enabled": True,
    "cc-subtitle-lang": "es", "screen-size": "1280x720", "video-playback-size": "640x360",
}  # fmt: skip


@pytest.fixture
def film(app):
    return make_activity(
        make_module(), slug="film", kind="video", title={"en": "Mapping"},
        settings={"source": {"en": "media/film.webm", "es": "media/cine.webm"}},
    )  # fmt: skip


@pytest.fixture
def enrolment(film):
    return make_enrolment(make_run(film.course))


@pytest.fixture
def learner(signed_in, enrolment):
    return signed_in(enrolment.user)


@pytest.fixture
def tell(learner, enrolment):
    """Report moments of a film of 100 seconds: (step, place, seconds ago, place before)."""

    def report(*moments, session=None, first=1, registration=None, slug="film", **values):
        told = [
            {"number": number, "step": step, "time": time, "ago": ago,
             **({"time_from": rest[0]} if rest else {})}
            for number, (step, time, ago, *rest) in enumerate(moments, first)
        ]  # fmt: skip
        body = {
            "session": str(session or uuid.uuid4()),
            "registration": str(registration or enrolment.registration),
            "length": 100,
            "player": PLAYER,
            "moments": told,
            **values,
        }
        return send(json.dumps(body), slug)

    def send(text, slug="film"):
        return learner.post(f"/study/{enrolment.run_id}/{slug}/playback", data={"report": text})

    report.send = send
    return report


def recorded() -> list[dict]:
    rows = db.session.scalars(select(StoredStatement).order_by(StoredStatement.id))
    found = [orjson.loads(row.document) for row in rows]
    return [one for one in found if f'"id":"{VIDEO}"' in orjson.dumps(one).decode()]


def verbs() -> list[str]:
    return [one["verb"]["id"].rsplit("/", 1)[-1] for one in recorded()]


def test_a_sitting_before_a_film_is_told_from_its_start_to_its_end(tell, film, enrolment):
    session = uuid.uuid4()
    answer = tell(
        ("played", 0, 60), ("paused", 30, 30), ("played", 30, 25), ("seeked", 90, 15, 40),
        ("terminated", 100, 5), session=session, language="es",
    )  # fmt: skip

    assert (answer.status_code, answer.data) == (204, b"")
    assert verbs() == [
        "initialized", "played", "paused", "played", "seeked", "paused", "terminated"
    ]  # fmt: skip
    started, _played, paused, _again, seeked, _stopped, left = recorded()
    context = started["context"]
    assert started["id"] == str(session)
    assert started["actor"]["account"]["name"] == str(enrolment.user.uuid)
    assert started["object"]["id"].endswith(str(film.uuid))
    assert context["registration"] == str(enrolment.registration)
    assert context["language"] == "es"
    assert context["extensions"] == {
        video_extension(name): value
        for name, value in {
            "session-id": str(session), "length": 100.0, "completion-threshold": 0.95, **PLAYER,
        }.items()
    }  # fmt: skip
    assert paused["result"]["extensions"] == {
        video_extension("time"): 30.0,
        video_extension("progress"): 0.3,
        video_extension("played-segments"): "0.000[.]30.000",
    }
    assert seeked["result"]["extensions"] == {
        video_extension("time-from"): 40.0, video_extension("time-to"): 90.0
    }  # fmt: skip
    parts = left["result"]["extensions"][video_extension("played-segments")]
    assert parts == "0.000[.]30.000[,]30.000[.]40.000[,]90.000[.]100.000"
    assert started["timestamp"] < paused["timestamp"] < left["timestamp"]


def test_statements_keep_the_rules_of_the_published_profile(tell):
    tell(
        ("played", 0, 200), ("paused", 50, 150), ("played", 50, 120), ("seeked", 60, 115, 55),
        ("paused", 100, 70), ("played", 54, 50), ("paused", 61, 43), ("terminated", 61, 1),
    )  # fmt: skip
    seen = set()
    for statement in recorded():
        check_statement(statement)
        [template] = [
            one for one in map(template_document, VIDEO_TEMPLATES) if fits(statement, one)
        ]
        assert broken_rules(statement, template) == [], template["id"]
        seen.add(template["id"])
        category = statement["context"]["contextActivities"]["category"]
        assert VIDEO in [one["id"] for one in category]

    assert len(seen) == len(VIDEO_TEMPLATES)


def test_a_film_is_completed_once_in_an_enrolment_when_nearly_all_was_watched(tell):
    tell(("played", 0, 100), ("terminated", 60, 40))
    assert "completed" not in verbs()

    tell(("played", 50, 60), ("paused", 98, 12))
    tell(("played", 0, 10), ("paused", 9, 1))

    assert verbs().count("completed") == 1
    [done] = [one for one in recorded() if one["verb"]["id"].endswith("/completed")]
    assert done["result"]["completion"] is True
    assert done["result"]["duration"] == "PT108S"
    assert done["result"]["extensions"][video_extension("progress")] == 0.98
    [playback] = db.session.scalars(select(Playback))
    assert playback.seconds == pytest.approx(117, abs=0.5)


def test_what_is_sent_twice_is_recorded_once(tell):
    session = uuid.uuid4()
    tell(("played", 0, 60), ("paused", 30, 30), session=session)
    tell(("played", 0, 90), ("paused", 30, 60), ("played", 30, 10), session=session)
    tell(("terminated", 40, 1), ("played", 40, 0), session=session, first=4)

    assert verbs() == ["initialized", "played", "paused", "played", "paused", "terminated"]


def test_what_was_kept_without_a_line_has_its_own_time(tell):
    tell(("played", 0, 3 * 3600), ("paused", 10, 3 * 3600 - 10))

    row = db.session.scalars(select(StoredStatement).order_by(StoredStatement.id.desc())).first()
    assert timedelta(hours=2.9) < clock.now() - row.timestamp < timedelta(hours=3.1)


def test_parts_that_cannot_have_been_watched_in_that_time_do_not_count(tell):
    tell(("played", 0, 2), ("paused", 100, 1))

    assert verbs() == ["initialized", "played", "paused"]
    assert recorded()[-1]["result"]["extensions"][video_extension("progress")] == 0


def test_places_outside_of_the_film_are_moved_to_its_ends(tell):
    tell(("played", 0, 60), ("seeked", 5000, 30, 30))

    assert recorded()[-1]["result"]["extensions"][video_extension("time-to")] == 100


BAD_REPORTS = [
    {"length": 0}, {"length": "100"}, {"session": "1"}, {"moments": []}, {"actor": {}},
    {"moments": [{"number": 1, "step": "completed", "time": 1, "ago": 1}]},
    {"moments": [{"number": 1, "step": "initialized", "time": 1, "ago": 1}]},
    {"moments": [{"number": 0, "step": "played", "time": 1, "ago": 1}]},
    {"moments": [{"number": 1, "step": "played", "time": -1, "ago": 1}]},
    {"moments": [{"number": 1, "step": "played", "time": 1, "ago": -1}]},
    {"moments": [{"number": 1, "step": "played", "time": 1}]},
    {"moments": [{"number": n, "step": "played", "time": 1, "ago": 1} for n in range(1, 103)]},
    {"player": {"speed": "fast"}}, {"player": {"user-agent": "x"}},
    {"player": {"cc-subtitle-lang": "es\r\nX: y"}}, {"registration": str(uuid.uuid4())},
]  # fmt: skip


def test_a_report_in_another_form_is_refused(tell):
    for change in BAD_REPORTS:
        assert tell(("played", 0, 1), **change).status_code == 422, change
    for text in ("", "[]", "{", '{"length": NaN}', "[" * 10_000, " " * 30_000, "\x00"):
        assert tell.send(text).status_code == 422, text[:20]
    assert recorded() == []


def test_a_session_belongs_to_one_person_and_film(tell, film):
    taken = uuid.uuid4()
    kept = {
        "id": str(taken),
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://example.org/did"},
        "object": {"id": "http://example.org/it"},
    }
    store_statements([kept], authority={"mbox": "mailto:b@example.org"})
    assert tell(("played", 0, 1), session=taken).status_code == 422

    session = uuid.uuid4()
    assert tell(("played", 0, 1), session=session).status_code == 204
    make_activity(film.module, slug="other", kind="video", settings=film.settings)
    assert tell(("played", 0, 1), session=session, slug="other").status_code == 422
    assert verbs() == ["initialized", "played"]


def test_only_who_studies_may_tell(client, signed_in, enrolment, film):
    address = f"/study/{enrolment.run_id}/film/playback"
    assert client.post(address, data={"report": "{}"}).status_code in (302, 303, 401)
    assert signed_in(make_user()).post(address, data={"report": "{}"}).status_code in (403, 404)


def test_only_films_of_the_site_are_recorded(tell, film):
    film.settings = {"source": "https://vimeo.com/12345"}
    db.session.flush()
    assert tell(("played", 0, 1)).status_code == 404

    film.kind = "page"
    db.session.flush()
    assert tell(("played", 0, 1)).status_code == 404


def test_a_film_of_a_week_that_is_not_open_is_refused(signed_in, film):
    later = make_activity(make_module(film.course), slug="film2", kind="video",
                          settings=film.settings)  # fmt: skip
    enrolment = make_enrolment(make_run(film.course, release="by_week"))
    body = {"session": str(uuid.uuid4()), "registration": str(enrolment.registration), "length": 9,
            "moments": [{"number": 1, "step": "played", "time": 0, "ago": 0}]}  # fmt: skip
    answer = signed_in(enrolment.user).post(
        f"/study/{enrolment.run_id}/{later.slug}/playback", data={"report": json.dumps(body)}
    )

    assert answer.status_code == 403
    assert recorded() == []


def test_the_page_tells_the_player_where_to_report_but_not_in_a_preview(
    learner, enrolment, film, tell
):
    add_media(film.course, "film.webm")
    page = learner.get(f"/study/{enrolment.run_id}/film")

    assert f'data-playback-url="/study/{enrolment.run_id}/film/playback"' in page.text
    assert f'data-playback-of="{enrolment.registration}"' in page.text
    assert recorded() == []
    assert db.session.scalars(select(Progress)).all() == []


def test_the_timeline_says_what_was_watched(tell, film, enrolment):
    view_activity(enrolment, film)
    tell(("played", 0, 100), ("paused", 30.5, 69), ("played", 30.5, 60), ("seeked", 31, 59, 30.6),
         ("paused", 100, 0))  # fmt: skip
    rows = statements_of_registration(enrolment.registration)

    def lines(language):
        with force_locale(language):
            found = [f"{one.verb_text} · {one.result_text}" for one in sentences(rows)]
            return [" ".join(line.split()) for line in found][:3]

    assert lines("en") == [
        "watched to the end · at 1:40, 100 % watched",
        "paused · at 1:40, 100 % watched",
        "moved within · from 0:30 to 0:31",
    ]
    assert len({tuple(lines(code)) for code in ("en", "es", "fr", "pt")}) == 4


def test_parts_of_a_film_are_put_together():
    assert union([[5, 9], [0, 3], [2, 6], [10, 11]]) == [[0, 9], [10, 11]]
