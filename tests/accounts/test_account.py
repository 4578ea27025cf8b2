from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from lms.accounts import queries
from lms.accounts.models import DataDownload, User
from lms.accounts.services import downloads
from lms.core import clock
from lms.core.db import db
from lms.core.files import ATTACHMENTS, file_store, keep_file
from lms.core.models import StoredFile
from lms.core.personal_data import personal_data
from tests.accounts.letters import link_in, text_of
from tests.factories.accounts import PASSWORD, make_administrator, make_user

PROFILE = {
    "name": "Ana María Quispe",
    "profession": "Architect",
    "country": "PE",
    "language": "es",
    "time_zone": "America/Lima",
}


@pytest.fixture
def ana(app):
    return make_user(
        email="ana@example.org", name="Ana Quispe", password=PASSWORD, country="BO", language="en"
    )


def test_the_profile_is_changed(ana, signed_in):
    browser = signed_in(ana)
    page = browser.get("/account")
    assert 'value="Ana Quispe"' in page.text

    answer = browser.post("/account", data=PROFILE)

    assert (answer.status_code, answer.location) == (303, "/account")
    user = queries.get_user(ana.id)
    assert {name: getattr(user, name) for name in PROFILE} == PROFILE
    assert '<html lang="es"' in browser.get("/account").text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Write your name."),
        ({"name": "x" * 121}, "Field cannot be longer than 120 characters."),
        ({"time_zone": "Nowhere"}, "Not a valid choice"),
        ({"time_zone": ""}, "Not a valid choice"),
        ({"country": "??"}, "Not a valid choice"),
    ],
)
def test_a_wrong_profile_is_explained_and_kept(ana, signed_in, change, words):
    answer = signed_in(ana).post("/account", data=PROFILE | change)

    assert answer.status_code == 422
    assert words in answer.text
    assert "Architect" in answer.text
    assert queries.get_user(ana.id).name == "Ana Quispe"


def test_a_time_zone_by_an_old_name_is_kept(signed_in):
    user = make_user(time_zone="America/Montreal")

    signed_in(user).post("/account", data=PROFILE | {"time_zone": "America/Montreal"})

    assert queries.get_user(user.id).time_zone == "America/Montreal"


def test_another_password_signs_out_everywhere_else(ana, signed_in, mails):
    here, elsewhere = signed_in(ana), signed_in(ana)
    form = {"old_password": PASSWORD, "password": "four new words here"}

    wrong = here.post("/account/password", data=form | {"old_password": "no"})
    assert wrong.status_code == 422
    assert "This is not your present password." in wrong.text
    weak = here.post("/account/password", data=form | {"password": "password123"})
    assert weak.status_code == 422
    answer = here.post("/account/password", data=form)

    assert answer.status_code == 303
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert [mail["Subject"] for mail in mails()] == ["Your password was changed"]


def test_signing_out_on_all_other_devices(ana, signed_in):
    here, elsewhere = signed_in(ana), signed_in(ana)

    here.post("/account/sign-out-everywhere")

    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302


def test_another_address_is_used_once_confirmed(ana, signed_in, client, mails):
    browser = signed_in(ana)
    form = {"email": "Ana.New@Example.com", "email_password": PASSWORD}

    assert browser.post("/account/email", data=form | {"email_password": "no"}).status_code == 422
    assert browser.post("/account/email", data=form).status_code == 303
    [mail] = mails()
    assert mail["To"] == "Ana.New@example.com"
    assert queries.get_user(ana.id).email == "ana@example.org"
    link = link_in(mail)
    assert "Ana.New@example.com" in client.get(link).text
    assert client.post(link).status_code == 303

    assert queries.get_user(ana.id).email == "Ana.New@example.com"
    assert client.post(link).status_code == 410
    [_first, notice] = mails()
    assert (notice["To"], notice["Subject"]) == ("ana@example.org", "Your address was changed")
    assert browser.get("/account").status_code == 302


def test_an_address_of_somebody_else_stays_theirs(ana, signed_in, client, mails):
    form = {"email": "bruno@example.org", "email_password": PASSWORD}
    signed_in(ana).post("/account/email", data=form)
    link = link_in(mails()[0])
    make_user(email="bruno@example.org")

    assert client.post(link).status_code == 410
    assert signed_in(ana).post("/account/email", data=form).status_code == 303
    [_confirmation, notice] = mails()
    assert (notice["To"], notice["Subject"]) == (
        "bruno@example.org",
        "You already have an account",
    )
    assert queries.get_user(ana.id).email == "ana@example.org"


def test_all_my_data_in_one_file(ana, signed_in, mails):
    keep_file(b"my notes", "notes.txt", ATTACHMENTS, ana.id)
    keep_file(b"not mine", "other.txt", ATTACHMENTS, make_user().id)
    browser = signed_in(ana)
    browser.put("/drafts/forum-1", json={"text": "half a thought"})
    assert "Make a file of my data" in browser.get("/account/data").text
    assert browser.get("/account/data/file").status_code == 404

    browser.post("/account/data")
    browser.post("/account/data")  # a double click makes one file

    assert "We are collecting your data" in browser.get("/account/data").text
    [mail] = mails()
    assert "seven days" in text_of(mail)
    assert "You can fetch it until" in browser.get("/account/data").text
    answer = browser.get("/account/data/file")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert {f"{name}.json" for name in personal_data} <= set(archive.namelist())
    found = json.loads(archive.read("accounts.json"))
    assert found["account"]["email"] == "ana@example.org"
    assert found["drafts"][0]["content"] == {"text": "half a thought"}
    [upload] = [name for name in archive.namelist() if name.startswith("files/")]
    assert archive.read(upload) == b"my notes"
    assert "password" not in archive.read("accounts.json").decode()


def test_the_file_is_for_its_owner_and_for_a_week(ana, signed_in, run_jobs):
    signed_in(ana).post("/account/data")
    run_jobs()
    assert signed_in(make_user()).get("/account/data/file").status_code == 404
    [download] = db.session.scalars(select(DataDownload))
    path = download.file.path

    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)):
        assert signed_in(ana).get("/account/data/file").status_code == 404
        downloads.remove_old_downloads()
        run_jobs()

    assert db.session.scalars(select(DataDownload)).all() == []
    assert db.session.scalars(select(StoredFile)).all() == []
    with pytest.raises(FileNotFoundError):
        file_store().read(path)


def test_closing_the_account_erases_who_it_was(ana, signed_in, client, mails):
    stored = keep_file(b"my notes", "notes.txt", ATTACHMENTS, ana.id)
    browser, elsewhere = signed_in(ana), signed_in(ana)
    browser.put("/drafts/forum-1", json={"text": "x"})
    browser.post("/account/data")
    mails()

    form = {"close_password": PASSWORD, "understood": "y"}
    assert browser.post("/account/close", data={"close_password": PASSWORD}).status_code == 422
    wrong = browser.post("/account/close", data=form | {"close_password": "no"})
    assert wrong.status_code == 422
    assert "This is not your present password." in wrong.text
    answer = browser.post("/account/close", data=form)

    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/account").status_code == 302
    assert elsewhere.get("/account").status_code == 302
    user = db.session.get(User, ana.id)
    assert (user.name, user.password_hash, user.country) == ("Closed account", None, None)
    assert "ana" not in user.email + user.search_text
    assert user.closed_at is not None
    assert queries.count_drafts(ana.id) == 0
    assert db.session.get(StoredFile, stored.id).owner_id is None
    assert db.session.scalars(select(DataDownload)).all() == []
    last = mails()[-1]
    assert (last["To"], last["Subject"]) == ("ana@example.org", "Your account is closed")
    assert "Hello Ana Quispe" in text_of(last)
    sign_in = client.post("/sign-in", data={"email": "ana@example.org", "password": PASSWORD})
    assert sign_in.status_code == 422
    make_user(email="ana@example.org")  # the address is free again


def test_the_last_administrator_stays(signed_in):
    admin = make_administrator(password=PASSWORD)
    form = {"close_password": PASSWORD, "understood": "y"}

    answer = signed_in(admin).post("/account/close", data=form)
    assert answer.status_code == 409
    assert "This is the only administrator." in answer.text
    assert queries.get_user(admin.id).closed_at is None

    make_administrator(deactivated_at=clock.now())  # counts for nothing
    assert signed_in(admin).post("/account/close", data=form).status_code == 409
    make_administrator()
    assert signed_in(admin).post("/account/close", data=form).status_code == 303


def test_every_page_of_the_account_asks_few_queries(ana, signed_in, count_queries):
    browser = signed_in(ana)
    for path in ("/account", "/account/security", "/account/data"):
        count_queries()
        assert browser.get(path).status_code == 200
        assert count_queries() <= 12, path
