from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.assessments import queries as quiz_queries
from lms.core.db import db
from lms.courses.events import PlaybackStep
from lms.courses.models import Activity, EnrolmentState
from lms.courses.services import enrolment as enrolments
from lms.courses.services import progress
from lms.courses.services.playback import Moment, Report, note_playback
from lms.forums.models import Forum
from lms.forums.services import posts
from lms.xapi.mapping import statement_mappings
from lms.xapi.models import StoredStatement
from lms.xapi.profile.document import profile
from lms.xapi.validation import check_statement
from lms.xapi.vocabulary import VERBS, VIDEO
from tests.factories.accounts import make_user
from tests.factories.assessments import make_attempt, make_quiz
from tests.factories.certificates import make_certified_course
from tests.factories.courses import make_activity, make_module, make_run
from tests.xapi.profile_rules import broken_rules, fits, values_at

pytestmark = pytest.mark.needs("assessments", "forums", "certificates")

ROOT = "/xapi/profile"


def watch(enrolment, module) -> None:
    """Somebody plays a film, goes to another place of it, and leaves."""
    settings = {"source": "media/film.webm"}
    film = make_activity(module, kind="video", settings=settings, is_required=False)
    told = (("played", 0), ("seeked", 50), ("paused", 60), ("terminated", 60))
    moments = [
        Moment(number, PlaybackStep(step), place, timedelta(seconds=100 - place), 40)
        for number, (step, place) in enumerate(told, 1)
    ]
    note_playback(enrolment, film, Report(uuid.uuid4(), 100, moments))


@pytest.fixture
def way(app) -> list[dict]:
    """All statements of a person who does everything, and of one who leaves."""
    course = make_certified_course()
    quiz = make_quiz(make_module(course), attempts_allowed=None, pass_score=0.9)
    forum = make_activity(
        make_module(course), kind="forum", settings={"minimum_posts": 1}, completion="posted"
    )
    run = make_run(course)
    user = make_user(name="Rosa Quispe Mamani", email="rosa.quispe@example.org")
    enrolment = enrolments.enrol_free(run, user)
    [page] = db.session.scalars(select(Activity).where(Activity.kind == "page"))
    progress.view_activity(enrolment, page)
    watch(enrolment, make_module(course))
    [question] = quiz_queries.list_questions(quiz)
    for answer in ("b", "a", "a"):
        make_attempt(enrolment, quiz, {question.id: [answer]})
    posts.start_discussion(
        user, Forum(run, forum), enrolment, title="Hello", text="We meet.", language="en"
    )
    leaver = enrolments.enrol_free(run, make_user())
    progress.waive_activities(leaver, [page], 1.0)
    enrolments.end_enrolment(leaver, EnrolmentState.WITHDRAWN)
    db.session.flush()
    rows = db.session.scalars(select(StoredStatement).order_by(StoredStatement.id))
    return [json.loads(row.document) for row in rows]


def test_every_statement_keeps_the_rules_of_its_template(way):
    templates = profile()["templates"]
    seen = set()
    for statement in way:
        mine = [t for t in templates if fits(statement, t)]
        assert mine, f"no template for {statement['verb']['id']} {statement['object']}"
        for template in mine:
            assert broken_rules(statement, template) == [], template["id"]
            seen.add(template["id"].rsplit("/", 1)[-1])

    assert seen == {t["id"].rsplit("/", 1)[-1] for t in templates}


def test_every_statement_says_which_profile_it_follows(way):
    for statement in way:
        category = statement["context"]["contextActivities"]["category"]
        own = [a["id"] for a in category if a["id"] != VIDEO]
        assert own == [profile()["versions"][0]["id"]]


def test_a_registration_follows_the_pattern_of_an_enrolment(way):
    first: dict[str, str] = {}
    for statement in way:
        registration = statement["context"]["registration"]
        first.setdefault(registration, statement["verb"]["id"])

    assert set(first.values()) == {VERBS["registered"][0]}


def test_a_score_stands_only_where_cmi5_lets_it(way):
    for statement in way:
        verb = statement["verb"]["id"].rsplit("/", 1)[-1]
        if "score" in statement.get("result", {}):
            assert verb in ("passed", "failed", "scored", "answered")


def test_nobody_is_named(way):
    text = json.dumps(way)

    for word in ("Rosa", "Quispe", "Mamani", "rosa.quispe", "mailto:", "mbox"):
        assert word not in text
    for statement in way:
        assert set(statement["actor"]) == {"objectType", "account"}
        assert re.fullmatch(r"[0-9a-f-]{36}", statement["actor"]["account"]["name"])


def test_what_is_recorded_is_valid_by_both_versions(way):
    for statement in way:
        check_statement(statement)


def test_every_mapping_has_been_tried(way):
    assert {name.split(".")[0] for name in statement_mappings} == {
        "courses", "assessments", "forums", "certificates"
    }  # fmt: skip


def test_the_profile_is_well_formed(app):
    found = profile()
    version = found["versions"][0]["id"]

    things = [*found["concepts"], *found["templates"], *found["patterns"]]
    assert len({thing["id"] for thing in things}) == len(things)
    for thing in things:
        assert thing["id"].startswith(found["id"] + "/")
        assert thing["inScheme"] == version
        assert thing["prefLabel"]["en"]
        assert thing["definition"]["en"]
    for template in found["templates"]:
        assert template["verb"] in {iri for iri, _display in VERBS.values()}
        for rule in template["rules"]:
            values_at({}, rule["location"])
    ids = {thing["id"] for thing in things}
    for pattern in found["patterns"]:
        [kind] = {"sequence", "zeroOrMore", "alternates"} & pattern.keys()
        named = pattern[kind]
        assert set(named if isinstance(named, list) else [named]) <= ids


def test_the_profile_is_served_at_its_iris(client):
    answer = client.get(ROOT)
    assert answer.mimetype == "application/ld+json"
    assert answer.json["@context"] == "https://w3id.org/xapi/profiles/context"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Accept" in answer.headers["Vary"]
    assert client.get(f"{ROOT}/v1").json == answer.json

    for group in ("concepts", "templates", "patterns"):
        for thing in answer.json[group]:
            part = client.get(thing["id"].removeprefix("http://puente.test"))
            assert part.json["id"] == thing["id"]

    assert client.get(f"{ROOT}/nothing").status_code == 404


def test_people_get_a_page(client):
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    page = client.get(ROOT, headers=accept)
    assert page.mimetype == "text/html"
    assert "Passed a quiz" in page.text
    part = client.get(f"{ROOT}/templates/passed", headers=accept)
    assert part.status_code == 303
    assert part.headers["Location"].endswith("/xapi/profile#templates-passed")
    assert 'id="templates-passed"' in page.text
