"""Keys: what they may do, how far they reach, when they stop."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.models import AuditEntry
from lms.xapi import vocabulary
from lms.xapi.collections import REGISTRATION
from lms.xapi.errors import OutOfReach
from lms.xapi.models import KeyScope, LaunchSession, XapiKey
from lms.xapi.services import access as access_service
from lms.xapi.services.access import (
    AccessCache,
    check_document,
    due_use,
    find_access,
    keep_use,
)
from lms.xapi.services.keys import make_key, revoke_key, rotate_key, set_expiry
from lms.xapi.services.sessions import end_session, open_session, remove_old_sessions
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course, make_enrolment, make_run
from tests.xapi.test_api import headers, statement

ROOT = "/admin/learning-records"


def key_row(key: str) -> XapiKey:
    return db.session.scalars(select(XapiKey).where(XapiKey.key == key)).one()


def about(*activities: str, registration: uuid.UUID | None = None, **values):
    context = {"contextActivities": {"grouping": [{"id": iri} for iri in activities]}}
    if registration:
        context["registration"] = str(registration)
    return statement(context=context, **values)


def course_iri(course) -> str:
    return vocabulary.activity_iri("course", course.uuid)


@pytest.fixture
def send(client):
    """Send statements with a key; gives the answer."""

    def post(credentials, *statements):
        return client.post(
            "/xapi/statements", data=json.dumps(statements), headers=headers(*credentials)
        )

    return post


@pytest.fixture
def read(client):
    """The ids that a key can read."""

    def get(credentials, **query):
        answer = client.get("/xapi/statements", query_string=query, headers=headers(*credentials))
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json["statements"]]

    return get


def test_a_key_has_several_scopes(app):
    key, secret = make_key("A tool", [KeyScope.WRITE, KeyScope.STATE], None)

    found = find_access(key, secret)

    assert found.allows(KeyScope.STATE)
    assert found.allows(KeyScope.READ, KeyScope.WRITE)
    assert not found.allows(KeyScope.READ, KeyScope.PROFILE)


def test_a_wrong_secret_or_an_unknown_key_opens_nothing(app):
    key, secret = make_key("A tool", KeyScope.ALL, None)

    assert find_access(key, secret[:-1]) is None
    assert find_access("nobody", secret) is None
    assert find_access("", "") is None


def test_after_the_first_check_the_database_is_not_asked_again(app, count_queries):
    credentials = make_key("A tool", KeyScope.ALL, None)
    find_access(*credentials)
    count_queries()

    assert find_access(*credentials).name == "A tool"
    assert count_queries() == 0


def test_another_process_hears_of_a_revoked_key_within_three_seconds(app):
    time = [100.0]
    other_process = AccessCache(timer=lambda: time[0])
    key, secret = make_key("A tool", KeyScope.ALL, None)
    assert other_process.find(key, secret) is not None

    revoke_key(key_row(key))

    assert find_access(key, secret) is None  # here at once
    time[0] += access_service.FRESH_FOR + 0.1
    assert other_process.find(key, secret) is None
    assert access_service.FRESH_FOR <= 3


def test_a_rotated_key_takes_both_secrets_for_the_chosen_time(app):
    key, old = make_key("A tool", KeyScope.ALL, None)

    new = rotate_key(key_row(key), timedelta(hours=1))

    assert find_access(key, old) is not None
    assert find_access(key, new) is not None
    with clock.set_to(clock.now() + timedelta(hours=1, seconds=1)):
        assert find_access(key, old) is None
        assert find_access(key, new) is not None


def test_a_new_secret_works_at_once_in_another_process(app):
    other_process = AccessCache(timer=lambda: 100.0)
    key, old = make_key("A tool", KeyScope.ALL, None)
    assert other_process.find(key, old) is not None

    new = rotate_key(key_row(key))

    assert other_process.find(key, new) is not None


def test_without_overlap_the_old_secret_ends_at_once(app):
    key, old = make_key("A tool", KeyScope.ALL, None)
    find_access(key, old)

    new = rotate_key(key_row(key))

    assert find_access(key, old) is None
    assert find_access(key, new) is not None


def test_an_expired_key_stops_on_time_though_it_was_just_checked(app):
    key, secret = make_key(
        "A tool", KeyScope.ALL, None, expires_at=clock.now() + timedelta(seconds=1)
    )
    assert find_access(key, secret) is not None

    with clock.set_to(clock.now() + timedelta(seconds=2)):
        assert find_access(key, secret) is None

    set_expiry(key_row(key), None)
    assert find_access(key, secret) is not None


def test_the_last_use_is_kept_at_most_once_a_minute(app):
    key, secret = make_key("A tool", KeyScope.ALL, None)
    found = find_access(key, secret)
    first = due_use(found)

    assert first is not None
    assert due_use(found) is None
    with clock.set_to(first + timedelta(seconds=61)):
        assert due_use(found) == first + timedelta(seconds=61)

    keep_use(found.id, first)
    keep_use(found.id, first + timedelta(seconds=30))  # of another process
    db.session.expire_all()
    assert key_row(key).last_used_at == first


def test_a_request_leaves_its_time_with_the_key_after_its_answer(client):
    credentials = make_key("A tool", KeyScope.ALL, None)

    answer = client.get("/xapi/statements", headers=headers(*credentials))
    answer.close()

    assert key_row(credentials[0]).last_used_at is not None


def test_a_key_of_a_course_writes_only_what_is_about_it(app, send):
    course, other = make_course(), make_course()
    enrolment = make_enrolment(make_run(course))
    credentials = make_key("LTI tool", KeyScope.ALL, None, limit=("course", course.uuid))

    assert send(credentials, about(course_iri(course))).status_code == 200
    registered = about("https://x.org/1", registration=enrolment.registration)
    assert send(credentials, registered).status_code == 200
    assert send(credentials, statement()).status_code == 403
    assert send(credentials, about(course_iri(other))).status_code == 403
    elsewhere = about("https://x.org/1", registration=uuid.uuid4())
    refused = send(credentials, about(course_iri(course)), elsewhere)
    assert refused.status_code == 403
    assert "statement 1" in refused.json["error"]


def test_a_key_of_a_course_reads_only_what_is_about_it(app, send, read):
    course = make_course()
    enrolment = make_enrolment(make_run(course))
    master = make_key("Master", KeyScope.ALL, None)
    mine = send(master, about(course_iri(course))).json
    mine += send(master, about("https://x.org/1", registration=enrolment.registration)).json
    other = send(master, statement()).json
    limited = make_key("Analytics", KeyScope.READ, None, limit=("course", course.uuid))

    assert sorted(i for i in read(limited) if i in mine + other) == sorted(mine)


def test_one_statement_outside_the_limit_is_not_found_by_its_id(app, client, send):
    course = make_course()
    [statement_id] = send(make_key("Master", KeyScope.ALL, None), statement()).json
    limited = make_key("Analytics", KeyScope.READ, None, limit=("course", course.uuid))

    answer = client.get(
        "/xapi/statements", query_string={"statementId": statement_id}, headers=headers(*limited)
    )

    assert answer.status_code == 404


def test_a_key_of_an_organisation_reaches_all_its_courses(app, send):
    first = make_course()
    second, foreign = make_course(owner=first.owner), make_course()
    credentials = make_key("Tool", KeyScope.WRITE, None, limit=("organisation", first.owner.uuid))

    assert send(credentials, about(course_iri(first)), about(course_iri(second))).status_code == 200
    assert send(credentials, about(course_iri(foreign))).status_code == 403


def test_a_key_of_a_registration_reaches_nothing_else(app, send, read):
    registration = uuid.uuid4()
    master = make_key("Master", KeyScope.ALL, None)
    limited = make_key("Package", KeyScope.ALL, None, limit=(REGISTRATION, registration))
    send(master, statement(), about("https://x.org/1", registration=uuid.uuid4()))

    assert send(limited, statement()).status_code == 403
    sent = send(limited, about("https://x.org/1", registration=registration)).json

    assert read(limited) == sent


def test_a_limited_key_voids_only_what_it_sent(app, send):
    course = make_course()
    limited = make_key("Tool", KeyScope.ALL, None, limit=("course", course.uuid))
    [own] = send(limited, about(course_iri(course))).json
    [other] = send(make_key("Master", KeyScope.ALL, None), about(course_iri(course))).json

    def voiding(statement_id):
        thing = {"objectType": "StatementRef", "id": statement_id}
        return statement(verb={"id": vocabulary.VERBS["voided"][0]}, object=thing)

    assert send(limited, voiding(other)).status_code == 403
    assert send(limited, voiding(own)).status_code == 200


@pytest.mark.parametrize(
    ("who", "takes_effect"),
    [("limited", False), ("writer", False), ("itself", True), ("master", True)],
)
def test_a_voiding_that_comes_first_holds_only_if_its_key_may_void_the_target(
    app, send, read, who, takes_effect
):
    course = make_course()
    keys = {
        "limited": make_key("Tool", KeyScope.ALL, None, limit=("course", course.uuid)),
        "writer": make_key("Writer", KeyScope.WRITE, None),
        "itself": make_key("Sender", KeyScope.WRITE, None),
        "master": make_key("Master", KeyScope.ALL, None),
    }
    target = {**about(course_iri(course)), "id": str(uuid.uuid4())}
    thing = {"objectType": "StatementRef", "id": target["id"]}
    voiding = statement(verb={"id": vocabulary.VERBS["voided"][0]}, object=thing)
    assert send(keys[who], voiding).status_code == 200

    assert send(keys["itself"], target).status_code == 200

    assert (target["id"] not in read(keys["master"])) is takes_effect


def test_a_limit_that_nobody_declares_reaches_nothing(app, send, read):
    send(make_key("Master", KeyScope.ALL, None), statement())
    credentials = make_key("Tool", KeyScope.ALL, None, limit=("ship", uuid.uuid4()))

    assert send(credentials, statement()).status_code == 403
    assert read(credentials) == []


def test_documents_follow_the_limit(app):
    course = make_course()
    enrolment = make_enrolment(make_run(course))
    limited = find_access(*make_key("Tool", KeyScope.ALL, None, limit=("course", course.uuid)))

    check_document(limited, activity=course_iri(course))
    check_document(limited, activity="https://x.org/1", registration=enrolment.registration)
    for outside in ({"activity": "https://x.org/1"}, {"agent": {"mbox": "mailto:a@example.org"}}):
        with pytest.raises(OutOfReach):
            check_document(limited, **outside)


ACTIVITY = "https://example.org/unit"


@pytest.fixture
def session(app):
    """Credentials of launched content, with its person and registration."""
    person = vocabulary.actor(make_user())
    registration = uuid.uuid4()
    return open_session(person, registration, [ACTIVITY]), person, registration


def test_a_session_speaks_for_its_person_registration_and_activity_alone(session, send, read):
    credentials, person, registration = session
    right = about(ACTIVITY, registration=registration, actor=person)
    others = about(ACTIVITY, registration=registration)
    elsewhere = about(ACTIVITY, registration=uuid.uuid4(), actor=person)
    unnamed = about("https://x.org/1", registration=registration, actor=person)

    sent = send(credentials, right)

    assert sent.status_code == 200
    assert read(credentials) == sent.json
    for wrong in (others, elsewhere, unnamed, statement(actor=person)):
        assert send(credentials, wrong).status_code == 403


def test_documents_of_a_session_are_those_of_its_person(session):
    credentials, person, registration = session
    found = find_access(*credentials)

    check_document(found, activity=ACTIVITY, agent=person, registration=registration)
    check_document(found, agent=person)
    for outside in (
        {"activity": "https://x.org/1", "agent": person},
        {"activity": ACTIVITY, "agent": {"mbox": "mailto:eve@example.org"}},
        {"activity": ACTIVITY, "agent": person, "registration": uuid.uuid4()},
    ):
        with pytest.raises(OutOfReach):
            check_document(found, **outside)


def test_a_session_ends_by_time_and_when_it_is_ended(session):
    credentials, _person, _registration = session
    assert find_access(*credentials) is not None

    with clock.set_to(clock.now() + timedelta(hours=9)):
        assert find_access(*credentials) is None
    end_session(credentials[0])
    assert find_access(*credentials) is None


def test_sessions_that_are_long_over_are_forgotten(session):
    with clock.set_to(clock.now() + timedelta(days=3)):
        remove_old_sessions()

    assert db.session.scalars(select(LaunchSession)).all() == []


def test_a_session_can_void_nothing(session, send):
    credentials, person, registration = session
    [own] = send(credentials, about(ACTIVITY, registration=registration, actor=person)).json
    context = {
        "registration": str(registration),
        "contextActivities": {"grouping": [{"id": ACTIVITY}]},
    }

    for target in (own, str(uuid.uuid4())):  # one that is there, and one that may come
        thing = {"objectType": "StatementRef", "id": target}
        verb = {"id": vocabulary.VERBS["voided"][0]}
        voiding = statement(actor=person, object=thing, verb=verb, context=context)
        assert send(credentials, voiding).status_code == 403


@pytest.mark.parametrize("path", ["/keys/new", "/keys/1"])
def test_only_administrators_see_the_pages_of_keys(client, signed_in, path):
    assert client.get(ROOT + path).status_code in (302, 303)
    assert signed_in(make_user()).get(ROOT + path).status_code == 403


@pytest.mark.parametrize("path", ["/keys/1/rotate", "/keys/1/expiry"])
def test_only_administrators_change_keys(client, signed_in, path):
    assert client.post(ROOT + path).status_code in (302, 303)
    assert signed_in(make_user()).post(ROOT + path).status_code == 403


def test_a_key_limited_to_a_course_run_is_made_in_the_browser(signed_in):
    run = make_run()
    browser = signed_in(make_administrator())
    assert str(run.uuid) in browser.get(f"{ROOT}/keys/new").text

    answer = browser.post(
        f"{ROOT}/keys",
        data={
            "name": "Package",
            "scopes": ["statements/write", "state"],
            "limit": f"run:{run.uuid}",
            "expires_on": "2099-12-31",
        },
    )

    key = db.session.scalars(select(XapiKey)).one()
    assert answer.status_code == 200
    assert (key.limit_kind, key.limit_value) == ("run", run.uuid)
    assert key.scopes == ["statements/write", "state"]
    assert key.expires_at.year == 2100 or key.expires_at.month == 12
    page = browser.get(f"{ROOT}/keys/{key.id}").text
    assert "Course run" in page
    assert "Never" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"scopes": []}, {"scopes": ["all", "fly"]}, {"limit": "run:nonsense"},
        {"registration": "nonsense"}, {"expires_on": "2001-01-01"},
    ],
)  # fmt: skip
def test_a_wrong_form_makes_no_key(signed_in, wrong):
    browser = signed_in(make_administrator())
    right = {"name": "A tool", "scopes": ["all"], "limit": ""}

    answer = browser.post(f"{ROOT}/keys", data=right | wrong)

    assert answer.status_code == 422
    assert db.session.scalars(select(XapiKey)).all() == []


def test_a_key_is_rotated_and_given_a_last_day_in_the_browser(signed_in):
    browser = signed_in(make_administrator())
    key, old = make_key("A tool", KeyScope.ALL, None)
    row = key_row(key)

    page = browser.post(f"{ROOT}/keys/{row.id}/rotate", data={"overlap": "0"}).text
    secret = page.split('id="new-secret">')[1].split("<")[0]
    ended = browser.post(f"{ROOT}/keys/{row.id}/expiry", data={"expires_on": "2099-01-01"})

    assert find_access(key, secret) is not None
    assert find_access(key, old) is None
    assert ended.status_code == 303
    assert key_row(key).expires_at is not None
    acts = db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert acts == ["xapi.rotate_key", "xapi.set_expiry"]
    page = f"{ROOT}/keys/{row.id}"
    assert browser.post(f"{page}/expiry", data={"expires_on": "2001-01-01"}).status_code == 422
    assert browser.post(f"{page}/rotate", data={"overlap": "9"}).status_code == 422


@pytest.mark.parametrize("path", ["/", "/keys/new"])
def test_pages_of_keys_take_a_handful_of_queries(signed_in, count_queries, path):
    for number in range(5):
        make_key(f"Tool {number}", KeyScope.READ, None, limit=("run", make_run().uuid))
    browser = signed_in(make_administrator())
    browser.get(ROOT + path)
    count_queries()

    browser.get(ROOT + path)

    assert count_queries() <= 8
