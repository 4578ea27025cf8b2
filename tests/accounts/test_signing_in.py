from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from lms.accounts import queries
from lms.accounts.models import SignIn
from lms.accounts.passwords import hash_password, is_outdated, is_password
from lms.accounts.services.sign_ins import remove_old_sign_ins
from lms.core import clock
from lms.core.db import db, will_write
from tests.accounts.letters import link_in
from tests.factories.accounts import PASSWORD, make_user


def sign_in(client, email="ana@example.org", password=PASSWORD, **more):
    return client.post("/sign-in", data={"email": email, "password": password, **more})


@pytest.fixture
def ana(app):
    return make_user(email="ana@example.org", name="Ana Quispe", password=PASSWORD)


def test_signing_in_and_out(client, ana):
    assert client.get("/account").location == "/sign-in?next=/account"

    answer = sign_in(client, " ANA@Example.ORG ", next="/account")

    assert (answer.status_code, answer.location) == (303, "/account")
    assert client.get("/account").status_code == 200
    assert client.post("/sign-out").location == "/"
    assert client.get("/account").status_code == 302
    assert client.get("/sign-out").status_code == 405


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("ana", "\x00"),
    ],
)
def test_wrong_credentials_say_the_same_for_everybody(client, ana, email, password):
    answer = sign_in(client, email, password, next="/account")

    assert answer.status_code == 422
    assert "Address and password do not belong together." in answer.text
    assert f'value="{email}"' in answer.text
    assert 'value="/account"' in answer.text
    assert client.get("/account").status_code == 302


def test_nothing_typed_is_explained(client):
    answer = sign_in(client, "", "")

    assert answer.status_code == 422
    assert "Write your e-mail address." in answer.text
    assert "Write your password." in answer.text


def test_an_unknown_address_costs_the_same_work(app, ana, monkeypatch):
    checked = []
    from argon2 import PasswordHasher

    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, h, p: checked.append(h) or verify(self, h, p)
    )

    assert not is_password(None, PASSWORD)
    assert is_password(ana.password_hash, PASSWORD)

    unknown, known = checked
    assert unknown.rsplit("$", 2)[0] == known.rsplit("$", 2)[0]  # the same cost


def test_switched_off_accounts_are_told_only_with_the_right_password(client, ana):
    ana.deactivated_at = clock.now()
    db.session.commit()

    assert sign_in(client, password="wrong password").status_code == 422
    answer = sign_in(client)
    assert answer.status_code == 403
    assert "switched off" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:1",
    ],
)
def test_next_leads_nowhere_else(client, ana, target):
    assert sign_in(client, next=target).location == "/"


def test_a_prepared_session_is_worthless_after_signing_in(client, ana):
    client.get("/sign-in")
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["csrf_token"] = "known to somebody else"
        session["language"] = "fr"

    sign_in(client)

    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != "known to somebody else"
        assert session["language"] == "fr"
        assert not session.permanent


def test_remember_me_keeps_the_session(client, ana):
    sign_in(client, remember="y")

    with client.session_transaction() as session:
        assert session.permanent


def test_a_copied_cookie_is_worthless_after_signing_out(client, app, ana):
    sign_in(client)
    copy = client.get_cookie("puente").value
    thief = app.test_client()
    thief.set_cookie("puente", copy)
    assert thief.get("/account").status_code == 200

    client.post("/sign-out")

    assert thief.get("/account").status_code == 302


def test_signing_out_ends_no_other_sign_in(client, ana, signed_in):
    elsewhere = signed_in(ana)
    sign_in(client)

    client.post("/sign-out")

    assert elsewhere.get("/account").status_code == 200


def test_who_is_signed_in_is_found_by_one_query(ana, signed_in, count_queries):
    browser = signed_in(ana)
    browser.put("/drafts/forum-1", json={"text": "x"})
    count_queries()

    browser.get("/drafts/forum-1")

    assert count_queries() == 2  # the person, and the draft


def test_a_remembered_cookie_is_sent_once_a_day_and_lives_for_thirty_days_more(client, ana):
    start = clock.now()
    sign_in(client, remember="y")

    client.get("/account")  # keeps a token for forms in the session

    assert "Set-Cookie" not in client.get("/account").headers
    with time_machine.travel(start + timedelta(days=29), tick=False):
        assert "Set-Cookie" in client.get("/account").headers
        assert "Set-Cookie" not in client.get("/account").headers
    with time_machine.travel(start + timedelta(days=58), tick=False):
        assert client.get("/account").status_code == 200
    with time_machine.travel(start + timedelta(days=90), tick=False):
        assert client.get("/account").status_code == 302


def test_a_sign_in_ends_after_half_a_year(ana, signed_in):
    browser, fresh = signed_in(ana), signed_in(ana)
    for sign_in_row, days in zip(db.session.scalars(select(SignIn)), (181, 1), strict=True):
        sign_in_row.opened_at = clock.now() - timedelta(days=days)
    assert browser.get("/account").status_code == 302

    remove_old_sign_ins()

    assert fresh.get("/account").status_code == 200
    assert len(db.session.scalars(select(SignIn)).all()) == 1


def test_a_hash_of_another_cost_is_renewed(client, app, ana):
    from argon2 import PasswordHasher

    ana.password_hash = PasswordHasher(time_cost=2, memory_cost=32, parallelism=1).hash(PASSWORD)
    db.session.commit()
    assert is_outdated(ana.password_hash)

    sign_in(client)

    assert not is_outdated(queries.get_user(ana.id).password_hash)
    assert is_password(queries.get_user(ana.id).password_hash, PASSWORD)


def test_a_new_password_by_mail(client, ana, mails, signed_in):
    elsewhere = signed_in(ana)
    answer = client.post("/forgotten-password", data={"email": "Ana@example.org"})
    assert "If there is an account" in client.get(answer.location).text
    [mail] = mails()
    link = link_in(mail)
    page = client.get(link)
    assert page.status_code == 200

    assert client.post(link, data={"password": "short"}).status_code == 422
    answer = client.post(link, data={"password": "four new words here"})

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert sign_in(client).status_code == 422
    assert sign_in(client, password="four new words here").status_code == 303
    assert elsewhere.get("/account").status_code == 302  # signed out there
    assert client.post(link, data={"password": "a third one, by thief"}).status_code == 410
    assert [m["Subject"] for m in mails()][1:] == ["Your password was changed"]


def test_a_reset_link_dies_after_an_hour_and_by_any_other_change(client, ana, mails):
    client.post("/forgotten-password", data={"email": ana.email})
    link = link_in(mails()[0])

    with time_machine.travel(clock.now() + timedelta(minutes=61), tick=False):
        assert client.get(link).status_code == 410
    assert client.get(link).status_code == 200
    queries.get_user(ana.id).password_hash = hash_password("changed meanwhile")
    db.session.commit()
    assert client.get(link).status_code == 410


def test_a_reset_confirms_the_address_too(client, mails):
    make_user(email="new@example.org", email_confirmed_at=None, password=PASSWORD)
    client.post("/forgotten-password", data={"email": "new@example.org"})

    client.post(link_in(mails()[0]), data={"password": "four new words here"})

    assert sign_in(client, "new@example.org", "four new words here").status_code == 303


def test_nobody_learns_whether_an_address_is_known(client, ana, mails):
    known = client.post("/forgotten-password", data={"email": ana.email})
    unknown = client.post("/forgotten-password", data={"email": "nobody@example.org"})

    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    assert [mail["To"] for mail in mails()] == [ana.email]


def test_nobody_waits_to_write_while_a_password_is_hashed(client, app, ana, mails, monkeypatch):
    """On SQLite a writing transaction holds the only lock."""
    from argon2 import PasswordHasher

    def watch(name):
        work = getattr(PasswordHasher, name)

        def watched(self, *given):
            assert not will_write()
            done.append(name)
            return work(self, *given)

        monkeypatch.setattr(PasswordHasher, name, watched)

    done: list[str] = []
    new = "four new words here"
    client.post("/forgotten-password", data={"email": ana.email})
    reset = link_in(mails()[0])
    watch("hash")
    watch("verify")
    form = {"name": "B", "email": "b@example.org", "password": PASSWORD, "language": "en"}

    assert app.test_client().post("/register", data=form | {"accept": "y"}).status_code == 303
    assert app.test_client().post(link_in(mails()[1]), data=form).status_code == 303
    assert client.post(reset, data={"password": new}).status_code == 303
    assert sign_in(client, password=new).status_code == 303
    change = {"old_password": new, "password": PASSWORD}
    assert client.post("/account/password", data=change).status_code == 303
    address = {"email": "c@example.org", "email_password": PASSWORD}
    assert client.post("/account/email", data=address).status_code == 303
    closing = {"close_password": PASSWORD, "understood": "y"}
    assert client.post("/account/close", data=closing).status_code == 303

    assert len(done) == 8
