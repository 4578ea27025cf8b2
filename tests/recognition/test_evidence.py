from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
import time_machine
from pypdf import PdfReader
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.recognition.models import EvidenceLink
from tests.accounts.letters import text_of
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_certified_course, make_credential
from tests.factories.courses import make_instructor, make_run

FORM = {"recipient": "Order of Ontario", "days": "7", "understood": "y"}


@pytest.fixture
def credential(app):
    course = make_certified_course()
    make_instructor(course, name="Rosa Quispe")
    return make_credential(run=make_run(course), user=make_user(name="Ana Choque"))


@pytest.fixture
def link(signed_in, credential) -> str:
    """The path of an open link."""
    answer = signed_in(credential.user).post(f"/my/evidence/{credential.code}", data=FORM)
    assert answer.status_code == 200
    found = re.search(r"http://puente\.test(/evidence/[\w-]+)", answer.text)
    assert found
    return found[1]


def test_the_holder_opens_a_link_and_sees_every_look(client, signed_in, credential, link, mails):
    assert "Ana Choque" not in client.get(link).text  # asks first; a mail scanner is no look
    page = client.post(link).text
    for words in ("Ana Choque", "Map the actors", "Rosa Quispe", "86", credential.code):
        assert words in page, words
    pdf = client.post(link, data={"format": "pdf"})
    assert "Ana Choque" in PdfReader(io.BytesIO(pdf.data)).pages[0].extract_text()
    pack = client.post(link, data={"format": "json"}).json
    assert pack["certificate"]["state"] == "valid"
    assert pack["outline"][0]["activities"][0]["is_required"]
    assert pack["document"]["proof"]

    [kept] = db.session.scalars(select(EvidenceLink)).all()
    assert [look.what for look in kept.looks] == ["json", "pdf", "page"]
    own = signed_in(credential.user).get(f"/my/evidence/{credential.code}").text
    assert "Order of Ontario" in own
    assert link not in own
    told = [mail for mail in mails() if "has opened the link" in text_of(mail)]
    assert len(told) == 1


def test_before_during_and_after_consent(client, signed_in, credential, link):
    closed = client.get("/evidence/no-such-link")
    assert (closed.status_code, client.get(link).status_code) == (403, 200)

    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1), tick=False):
        late = client.get(link)
        assert (late.status_code, client.post(link).status_code) == (403, 403)
    said = "This link is not open. It may have expired, or its holder has withdrawn it."
    assert said in late.text  # nobody can tell why
    assert said in closed.text

    [kept] = db.session.scalars(select(EvidenceLink)).all()
    browser = signed_in(credential.user)
    browser.post(f"/my/evidence/{credential.code}/{kept.id}/withdraw")
    assert client.post(link).status_code == 403


def test_nobody_else_opens_or_withdraws_links(signed_in, client, credential, link):
    [kept] = db.session.scalars(select(EvidenceLink)).all()
    path = f"/my/evidence/{credential.code}"

    assert client.get(path).status_code == 302
    for user in (make_user(), make_administrator()):
        browser = signed_in(user)
        assert browser.get(path).status_code == 403
        assert browser.post(path, data=FORM).status_code == 403
        assert browser.post(f"{path}/{kept.id}/withdraw").status_code == 403
    other = make_credential(user=make_user())
    wrong = f"/my/evidence/{other.code}/{kept.id}/withdraw"
    assert signed_in(other.user).post(wrong).status_code == 404
    assert client.post(link).status_code == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipient": " "}, "Say who shall see it."),
        ({"days": "3650"}, "Not a valid choice"),
        ({"understood": ""}, "Tick this box to open the link."),
    ],
)
def test_consent_is_explicit_and_for_a_time(signed_in, credential, change, words):
    data = {name: value for name, value in (FORM | change).items() if value}

    answer = signed_in(credential.user).post(f"/my/evidence/{credential.code}", data=data)

    assert answer.status_code == 422
    assert words in answer.text
    assert db.session.scalars(select(EvidenceLink)).all() == []


def test_the_secret_of_a_link_is_not_kept_and_pages_stay_private(client, credential, link):
    [kept] = db.session.scalars(select(EvidenceLink)).all()
    answer = client.post(link)

    assert link.rsplit("/", 1)[1] != kept.token_hash
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
