from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta

import pytest
import time_machine
from jsonschema import Draft201909Validator, FormatChecker

from lms.certificates.data_integrity import CREDENTIALS_V2, OPEN_BADGES_3
from lms.certificates.services.status import bit, encode
from lms.certificates.verifier import status
from lms.certificates.verifier.outcome import State
from lms.core import clock
from lms.core.db import db
from lms.recognition import jobs, queries
from lms.recognition.errors import EndorsementRefused, NoBodyKey, WrongPassphrase
from lms.recognition.services import body_keys
from lms.recognition.services import endorsements as services
from tests.certificates.conftest import other as other  # an issuer elsewhere
from tests.certificates.test_peers import SCHEMA, judge, problems, published
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_certified_course, make_credential
from tests.factories.courses import make_course, make_run
from tests.factories.directory import make_organisation
from tests.factories.recognition import PASSPHRASE, make_body_key, make_endorsement

DESK = "/recognition/colegio/endorsements"


def endorsed_by(client, course) -> bool:
    return b"Endorsed by" in client.get(f"/courses/{course.slug}").data


def foreign(other, subject, **changed):
    """An endorsement that the issuer elsewhere has signed."""
    values = {
        "id": "urn:uuid:0b8f5f3c-37a5-4b7e-a2b7-0d8b3f1c9a77",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Endorsement",
        "credentialSubject": {
            "id": services.subject_id(subject),
            "type": ["EndorsementSubject"],
            "endorsementComment": "We looked at it ourselves.",
        },
    }
    return other.credential(**(values | changed))


def test_an_officer_endorses_a_course_and_everybody_sees_it(desk, client, association):
    make_body_key(association)
    course = make_course()

    answer = desk.post(
        f"{DESK}/new",
        data={
            "course": course.id, "comment": "Meets our standard.", "language": "en",
            "starts_on": "2020-01-01", "passphrase": PASSPHRASE,
        },
    )  # fmt: skip

    assert answer.status_code == 303
    page = client.get(f"/courses/{course.slug}").data.decode()
    assert "Endorsed by" in page
    assert "Meets our standard." in page
    [made] = db.session.scalars(queries.list_endorsements(association))
    document = client.get(f"/endorsements/{made.uuid}").json
    assert document["issuer"]["id"] == body_keys.body_did(association)
    assert document["credentialSubject"]["id"].endswith(f"/achievements/{course.uuid}")
    assert services.verify_again(made).is_valid


def test_a_wrong_passphrase_signs_nothing_and_keeps_what_was_typed(desk, association):
    make_body_key(association)

    answer = desk.post(
        f"{DESK}/new",
        data={
            "course": make_course().id, "comment": "Meets our standard.", "language": "en",
            "starts_on": "2020-01-01", "passphrase": "not the passphrase",
        },
    )  # fmt: skip

    assert answer.status_code == 422
    assert b"Meets our standard." in answer.data
    assert db.session.scalars(queries.list_endorsements(association)).all() == []


def test_without_a_key_nothing_is_endorsed(association):
    with pytest.raises(NoBodyKey):
        services.endorse(
            association, make_user(), make_course(), comment="Good.", language="en",
            first_day=date(2020, 1, 1), last_day=None, passphrase=PASSPHRASE,
        )  # fmt: skip


def test_a_provider_is_endorsed_for_all_its_courses_and_on_its_page(client, association):
    provider = make_organisation()
    course, elsewhere = make_course(owner=provider), make_course()
    make_endorsement(association, provider)

    assert endorsed_by(client, course)
    assert not endorsed_by(client, elsewhere)
    assert b"Endorsed by" in client.get(f"/organisations/{provider.slug}").data


@pytest.mark.parametrize(
    ("first", "last", "is_shown"),
    [(0, None, True), (1, None, False), (-9, -1, False), (-9, 0, True)],
)
def test_it_is_shown_only_in_its_time(client, association, first, last, is_shown):
    course, today = make_course(), clock.now().date()
    make_endorsement(
        association, course, first_day=today + timedelta(days=first),
        last_day=None if last is None else today + timedelta(days=last),
    )  # fmt: skip

    assert endorsed_by(client, course) is is_shown


def test_a_revoked_one_is_shown_no_more_and_its_bit_is_set(desk, client, association):
    course = make_course()
    made = make_endorsement(association, course)
    other_one = make_endorsement(association, make_course())

    answer = desk.post(
        f"{DESK}/{made.id}/revoke", data={"reason": "By mistake", "passphrase": PASSPHRASE}
    )

    assert answer.status_code == 303
    assert not endorsed_by(client, course)
    listed = queries.find_body_status_list(association)
    assert bit(listed.bits, made.status_index)
    assert not bit(listed.bits, other_one.status_index)
    document = client.get("/bodies/colegio/status").json
    assert document["credentialSubject"]["encodedList"] == encode(listed.bits)
    assert desk.get(f"{DESK}/{made.id}/revoke").status_code == 409


def test_revoking_needs_the_passphrase(association):
    made = make_endorsement(association, make_course())

    with pytest.raises(WrongPassphrase):
        services.revoke(made, make_user(), "", "not the passphrase")

    assert made.revoked_at is None


def test_nobody_else_endorses_in_the_name_of_an_association(proven, association):
    made = make_endorsement(association, make_course())

    for person in (make_user(), make_administrator()):
        browser = proven(person)
        for path in ("", "/new", "/hand-in", f"/{made.id}/revoke"):
            assert browser.get(DESK + path).status_code == 403, path
        for path in ("/new", "/hand-in", f"/{made.id}/revoke"):
            assert browser.post(DESK + path, data={}).status_code == 403, path


def test_certificates_refer_to_what_holds_when_they_are_issued(client, association):
    course = make_certified_course()
    made = make_endorsement(association, course)
    make_endorsement(association, course, first_day=date(2020, 1, 1), last_day=date(2020, 2, 1))

    credential = make_credential(run=make_run(course))

    document = json.loads(credential.document)
    named = [one for one in document["evidence"] if "/endorsements/" in one["id"]]
    assert [(one["id"], one["narrative"]) for one in named] == [
        (services.address_of(made.uuid), f"sha256:{made.sha256}")
    ]
    text = client.get(f"/endorsements/{made.uuid}").data
    assert hashlib.sha256(text).hexdigest() == made.sha256
    assert problems(document) == []
    page = f"/verify/{credential.code}"
    assert b"Endorsed by" in client.get(page).data
    services.revoke(made, make_user(), "", PASSPHRASE)
    db.session.commit()
    with time_machine.travel(clock.now() + timedelta(minutes=1)):  # what is drawn is kept so long
        assert b"Endorsed by" not in client.get(page).data
        assert b"valid" in client.get(page).data


def test_an_endorsement_fits_the_published_schema(association):
    made = make_endorsement(association, make_course(), last_day=date(2099, 1, 1))
    whole = json.loads(SCHEMA.read_text())
    validator = Draft201909Validator(
        {"$ref": "#/$defs/EndorsementCredential", "$defs": whole["$defs"]},
        format_checker=FormatChecker(),
    )
    document = json.loads(made.document)

    assert [error.message for error in validator.iter_errors(document)] == []
    del document["credentialSubject"]["type"]
    assert list(validator.iter_errors(document))


def test_another_implementation_judges_endorsements_as_we_do(client, association):
    good = make_endorsement(association, make_course())
    bad = make_endorsement(association, make_course())
    make_body_key(association)
    later = make_endorsement(association, make_course())
    services.revoke(bad, make_user(), "", PASSPHRASE)
    db.session.commit()
    altered = json.loads(good.document)
    altered["credentialSubject"]["endorsementComment"] = "The best of all."
    make_credential()  # so that the site's own identity and list are there too
    did = client.get("/bodies/colegio/did.json").json
    listed = client.get("/bodies/colegio/status").json
    documents = {**published(client), did["id"]: did, listed["id"]: listed}

    answers = judge(
        documents, json.loads(good.document), json.loads(later.document), json.loads(bad.document),
        altered,
    )  # fmt: skip

    assert [answer["verified"] for answer in answers] == [True, True, True, False], answers
    assert [answer["revoked"] for answer in answers[:3]] == [False, False, True]


def test_an_endorsement_signed_elsewhere_is_taken_when_it_verifies(
    desk, client, association, other
):
    course = make_course()
    data = {"course": course.id, "text": json.dumps(foreign(other, course))}

    answer = desk.post(f"{DESK}/hand-in", data=data)

    assert answer.status_code == 303
    assert b"We looked at it ourselves." in client.get(f"/courses/{course.slug}").data
    [made] = db.session.scalars(queries.list_endorsements(association))
    assert made.issuer == other.did
    assert client.get(f"/endorsements/{made.uuid}").data.decode() == data["text"]
    assert desk.post(f"{DESK}/hand-in", data=data).status_code == 422  # it is there already


def test_what_does_not_verify_or_is_about_something_else_is_refused(association, other):
    course = make_course()
    altered = foreign(other, course)
    altered["credentialSubject"]["endorsementComment"] = "Better."
    cases = [
        json.dumps(altered),
        json.dumps(foreign(other, make_course())),
        json.dumps(foreign(other, course, type=["VerifiableCredential", "OpenBadgeCredential"])),
        json.dumps(foreign(other, course, validUntil="2021-01-01T00:00:00Z")),
        json.dumps(other.credential()),
        "ABCD-EFGH",
        "{",
        "x" * 70_000,
    ]

    for text in cases:
        with pytest.raises(EndorsementRefused):
            services.read_foreign(course, text)


def test_one_signed_elsewhere_disappears_when_its_issuer_revokes_it(client, association, other):
    course = make_course()
    found = services.read_foreign(course, json.dumps(foreign(other, course)))
    made = services.keep_foreign(association, make_user(), course, found)
    db.session.commit()
    assert endorsed_by(client, course)
    other.revoke(7)
    status._kept.forget()

    jobs.check_endorsement(made.id)

    assert db.session.get_one(type(made), made.id).state == State.REVOKED
    assert not endorsed_by(client, course)


def test_the_contexts_are_those_that_are_pinned(association):
    document = json.loads(make_endorsement(association, make_course()).document)

    assert document["@context"] == [CREDENTIALS_V2, OPEN_BADGES_3]
