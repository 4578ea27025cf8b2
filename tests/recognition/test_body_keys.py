from __future__ import annotations

import io
import json

import pytest

from lms.core.db import db
from lms.recognition import queries
from lms.recognition.errors import BodyKeysUnreadable, WrongPassphrase
from lms.recognition.services import body_keys, endorsements
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course
from tests.factories.directory import make_association, make_manager, make_officer
from tests.factories.recognition import PASSPHRASE, make_body_key, make_endorsement

KEYS = "/recognition/colegio/keys"


def signing(association) -> list[str]:
    return [k.kid for k in queries.list_body_keys(association) if k.retired_at is None]


def test_an_officer_makes_the_associations_own_key(desk, client, association):
    answer = desk.post(KEYS, data={"key-passphrase": PASSPHRASE, "key-again": PASSPHRASE})

    assert answer.status_code == 303
    document = client.get("/bodies/colegio/did.json").json
    [key] = queries.list_body_keys(association)
    assert document["id"] == body_keys.body_did(association)
    assert document["id"].endswith(":bodies:colegio")
    assert document["verificationMethod"][0]["publicKeyMultibase"] == key.public_key
    assert document["assertionMethod"] == [f"{document['id']}#{key.kid}"]


def test_a_short_or_mistyped_passphrase_makes_no_key(desk, association):
    for typed, again in (("short", "short"), (PASSPHRASE, PASSPHRASE + "x"), ("", "")):
        answer = desk.post(KEYS, data={"key-passphrase": typed, "key-again": again})
        assert answer.status_code == 422

    assert not queries.list_body_keys(association)


def test_only_the_passphrase_opens_the_key(association):
    key = make_body_key(association)

    assert body_keys.open_key(key, PASSPHRASE)
    with pytest.raises(WrongPassphrase):
        body_keys.open_key(key, "another passphrase")


def test_nobody_else_comes_near_the_keys(signed_in, proven, association):
    key = make_body_key(association)
    people = [make_user(), make_administrator(), make_manager(), make_officer(make_association())]

    for person in people:
        browser = proven(person)
        assert browser.get(KEYS).status_code == 403
        for path in ("", f"/{key.id}/retire", f"/{key.id}/withdraw", "/export", "/import"):
            data = {"key-passphrase": PASSPHRASE, "key-again": PASSPHRASE}
            assert browser.post(KEYS + path, data=data).status_code == 403, path
    assert signing(association) == [key.kid]


def test_a_key_of_another_association_is_not_found(desk):
    foreign = make_body_key(make_association())

    assert desk.post(f"{KEYS}/{foreign.id}/retire").status_code == 404


def test_a_change_asks_for_the_second_factor(signed_in, officer, association):
    browser = signed_in(officer)

    answer = browser.post(KEYS, data={"key-passphrase": PASSPHRASE, "key-again": PASSPHRASE})

    assert "second-factor" in answer.location
    assert not queries.list_body_keys(association)


def test_a_new_key_retires_the_old_one_which_goes_on_verifying(client, association):
    old = make_endorsement(association, make_course())
    new_key = make_body_key(association)

    assert signing(association) == [new_key.kid]
    assert len(client.get("/bodies/colegio/did.json").json["assertionMethod"]) == 2
    assert endorsements.verify_again(old).is_valid


def test_what_a_withdrawn_key_signed_is_shown_no_more(desk, client, association):
    course = make_course()
    endorsement = make_endorsement(association, course)
    assert b"Meets our standard" in client.get(f"/courses/{course.slug}").data

    desk.post(f"{KEYS}/{endorsement.key_id}/withdraw")

    assert client.get("/bodies/colegio/did.json").json["assertionMethod"] == []
    assert b"Meets our standard" not in client.get(f"/courses/{course.slug}").data


def test_exported_keys_come_back_and_sign(desk, association):
    key = make_body_key(association)
    file = desk.post(f"{KEYS}/export").data
    public = key.public_key
    db.session.delete(key)
    db.session.commit()

    answer = desk.post(
        f"{KEYS}/import",
        data={"import-file": (io.BytesIO(file), "keys.json"), "import-passphrase": PASSPHRASE},
    )

    assert answer.status_code == 303
    [back] = queries.list_body_keys(association)
    assert back.public_key == public
    assert body_keys.open_key(back, PASSPHRASE)
    assert PASSPHRASE.encode() not in file


def test_a_file_of_another_association_or_a_swapped_key_is_refused(association):
    make_body_key(association)
    actor = make_user()
    whole = json.loads(body_keys.export_keys(association, actor))
    other = make_association()
    make_body_key(other)
    swapped = json.loads(json.dumps(whole))
    swapped["keys"][0]["public_key"] = queries.list_body_keys(other)[0].public_key
    costly = json.loads(json.dumps(whole))
    costly["keys"][0]["private_key"]["scrypt"] = {"n": 2**30, "r": 8, "p": 1}

    for target, file in (
        (other, whole),
        (association, swapped),
        (association, costly),
        (association, {"format": "x"}),
    ):
        with pytest.raises(BodyKeysUnreadable):
            body_keys.import_keys(target, actor, json.dumps(file).encode(), PASSPHRASE)
    with pytest.raises(BodyKeysUnreadable):
        body_keys.import_keys(association, actor, json.dumps(whole).encode(), "not the passphrase")


def test_an_association_without_key_has_no_identity(client, association):
    assert client.get("/bodies/colegio/did.json").status_code == 404
    assert client.get("/bodies/colegio/status").status_code == 404
    assert client.get("/bodies/nobody/did.json").status_code == 404
