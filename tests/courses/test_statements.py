from __future__ import annotations

import orjson

from lms.core.db import db
from lms.courses.models import EnrolmentState
from lms.courses.services import enrolment as enrolments
from lms.courses.services import progress
from lms.xapi.models import StoredStatement
from tests.factories.accounts import make_user
from tests.factories.courses import make_activity, make_course, make_module, make_run


def statements():
    db.session.flush()
    rows = db.session.query(StoredStatement).order_by(StoredStatement.id)
    found = [orjson.loads(row.document) for row in rows]
    return [s for s in found if not s["verb"]["id"].endswith("/earned")]


def verbs():
    return [s["verb"]["id"].rsplit("/", 1)[-1] for s in statements()]


def test_a_learners_way_through_a_course_is_recorded(app):
    course = make_course(title={"en": "Planning"})
    activity = make_activity(make_module(course), title={"en": "Mapping"})
    enrolment = enrolments.enrol_free(make_run(course), make_user())

    progress.view_activity(enrolment, activity)
    progress.view_activity(enrolment, activity)

    assert verbs() == ["registered", "launched", "initialized", "completed", "completed"]
    registered, _launched, _initialized, completed, course_completed = statements()
    assert {s["context"]["registration"] for s in statements()} == {str(enrolment.registration)}
    assert registered["object"]["id"].endswith(str(course.uuid))
    assert completed["object"]["id"].endswith(str(activity.uuid))
    assert completed["object"]["definition"]["name"]["en"] == "Mapping"
    context = completed["context"]["contextActivities"]
    assert [a["id"].rsplit("/", 2)[-2] for a in context["grouping"]] == ["run", "course"]
    assert context["parent"][0]["definition"]["type"].endswith("module")
    assert [a["id"].rsplit("/", 1)[-1] for a in context["category"]] == ["v1"]
    assert completed["result"] == {"completion": True}
    assert course_completed["object"]["id"].endswith(str(course.uuid))


def test_leaving_is_recorded_for_those_who_were_in(app):
    run = make_run(capacity=1)
    inside = enrolments.enrol_free(run, make_user())
    waiting = enrolments.join_waiting_list(run, make_user())

    enrolments.end_enrolment(waiting, EnrolmentState.WITHDRAWN)
    enrolments.end_enrolment(inside, EnrolmentState.WITHDRAWN)

    assert verbs() == ["registered", "unregistered"]


def test_statements_hold_no_name_and_no_address(app):
    user = make_user(name="Rosa Quispe", email="rosa@example.org")
    enrolments.enrol_free(make_run(), user)

    text = str(statements())

    assert "Rosa" not in text
    assert "rosa@" not in text
