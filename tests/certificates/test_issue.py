from __future__ import annotations

import orjson
import pytest
from sqlalchemy import func, select

from lms.certificates import codes, queries
from lms.certificates.errors import IssuerKeyUnavailable
from lms.certificates.models import Credential
from lms.certificates.services import issue, keys
from lms.core.db import db
from lms.courses.models import EnrolmentState
from lms.courses.services import progress
from lms.xapi.models import StoredStatement
from tests.factories.accounts import make_user
from tests.factories.certificates import (
    make_certified_course,
    make_completed_enrolment,
    make_credential,
)
from tests.factories.courses import make_enrolment, make_run


def test_completing_the_course_issues_a_certificate_and_tells_the_holder(app, mails, signed_in):
    course = make_certified_course(minimum_grade=None)
    enrolment = make_enrolment(make_run(course), make_user(name="Rosa  Quispe Mamani"))

    progress.complete_activity(enrolment, course.modules[0].activities[0])

    credential = db.session.scalars(select(Credential)).one()
    assert credential.holder_name == "Rosa Quispe Mamani"
    assert credential.course_title == "Tools for community planning"
    assert credential.facts["course"]["hours"] == 12.0
    assert [o["role"] for o in credential.facts["organisations"]] == ["owner", "partner"]
    [mail] = [m for m in mails() if "Your certificate" in m["Subject"]]
    assert "/my/certificates" in mail.get_body(("plain",)).get_content()
    earned = db.session.scalars(select(StoredStatement.document)).all()
    assert any("/verb/earned" in text and str(credential.uuid) in text for text in earned)


def test_a_second_completion_issues_nothing(app):
    enrolment = make_completed_enrolment()

    first = issue.issue_for_completion(enrolment)
    second = issue.issue_for_completion(enrolment)

    assert first is second
    assert db.session.scalar(select(func.count()).select_from(Credential)) == 1


def test_whoever_loses_the_race_gets_the_certificate_of_the_other(app, monkeypatch):
    enrolment = make_completed_enrolment()
    other = make_credential(enrolment)
    real = queries.find_latest
    seen = []

    def blind_first(looked_for):
        seen.append(looked_for)
        return None if len(seen) == 1 else real(looked_for)

    monkeypatch.setattr(queries, "find_latest", blind_first)

    assert issue.issue_for_completion(enrolment) is other
    assert db.session.scalar(select(func.count()).select_from(Credential)) == 1


def test_a_lost_secret_refuses_to_sign_and_makes_no_new_key(app, monkeypatch):
    make_credential()
    keys.forget_opened()
    monkeypatch.setattr(type(app.extensions["settings"]), "secret", lambda self: "another secret")

    with pytest.raises(IssuerKeyUnavailable):
        make_credential()
    with pytest.raises(IssuerKeyUnavailable):
        keys.rotate()

    assert len(queries.list_keys()) == 2
    keys.forget_opened()


def test_a_completion_stands_while_the_key_is_out_of_reach(app, monkeypatch, run_jobs):
    make_credential()
    course = make_certified_course(minimum_grade=None)
    enrolment = make_enrolment(make_run(course))
    keys.forget_opened()
    with monkeypatch.context() as patched:
        patched.setattr(type(app.extensions["settings"]), "secret", lambda self: "another secret")
        progress.complete_activity(enrolment, course.modules[0].activities[0])
        keys.forget_opened()
    assert enrolment.state == EnrolmentState.COMPLETED
    assert queries.find_latest(enrolment) is None

    run_jobs()

    assert queries.find_latest(enrolment) is not None


def test_certificates_of_before_a_rotation_stay_valid(app):
    from lms.certificates.services.verify import verify_code

    before = make_credential()
    keys.rotate()
    after = make_credential()

    assert before.key_id != after.key_id
    assert verify_code(before.code).is_valid
    assert verify_code(after.code).is_valid
    published = keys.did_document()
    assert len(published["verificationMethod"]) == len(published["assertionMethod"]) == 4


def test_codes_are_neither_guessed_nor_counted():
    made = [codes.make_code() for _ in range(2000)]

    assert len(set(made)) == 2000
    assert codes.RANDOM_SIGNS * 5 >= 70  # bits
    assert all(codes.is_well_formed(code) for code in made)
    assert made != sorted(made)
    for position in range(3, len(made[0])):  # every sign of every group takes many values
        values = {code[position] for code in made}
        assert values == {"-"} or len(values) == 32


def test_the_check_sign_finds_every_wrong_sign_and_nearly_every_swapped_pair():
    signs = codes.make_code().removeprefix("PU-").replace("-", "")
    for place in range(16):
        for sign in codes.ALPHABET.replace(signs[place], ""):
            wrong = signs[:place] + sign + signs[place + 1 :]
            assert not codes.is_well_formed("PU" + wrong)
    missed = tried = 0
    for _ in range(400):
        signs = codes.make_code().removeprefix("PU-").replace("-", "")
        for place in range(15):
            swapped = signs[:place] + signs[place + 1] + signs[place] + signs[place + 2 :]
            if swapped != signs:
                tried += 1
                missed += codes.is_well_formed("PU" + swapped)
    assert missed / tried < 0.02


@pytest.mark.parametrize(
    "typed",
    [
        "pu-7k3m-q9td-24xb-w0hr",
        " PU 7K3M Q9TD 24XB W0HR ",
        "7k3mq9td24xbwohr",
        "PU7K3MQ9TD24XBW0HR",
        "PU–7K3M–Q9TD–24XB–W0HR",
    ],
)
def test_a_code_is_understood_however_it_is_typed(typed):
    assert codes.read_code(typed) == "PU-7K3M-Q9TD-24XB-W0HR"


@pytest.mark.parametrize("typed", ["", "PU", "?", "x" * 1000, "PU-7K3M", "ü" * 18])
def test_what_cannot_be_a_code_is_none(typed):
    assert not codes.is_well_formed(codes.read_code(typed))


def test_the_facts_are_those_of_the_day_of_issue(app):
    credential = make_credential()
    course = credential.course
    course.title = {"en": "Another title"}
    course.hours = 99.0
    db.session.flush()

    assert credential.facts["course"]["title"]["en"] == "Tools for community planning"
    assert orjson.loads(credential.document)["credentialSubject"]["creditsEarned"] == 12.0
