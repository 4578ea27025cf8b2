from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from lms.accounts import queries
from lms.accounts.models import Registration, User
from lms.accounts.services.registration import remove_old_registrations
from lms.core import clock
from lms.core.db import db
from tests.accounts.letters import link_in, text_of
from tests.factories.accounts import PASSWORD, make_user

FORM = {
    "name": "Ana  Quispe ",
    "email": "Ana@Example.org",
    "password": PASSWORD,
    "language": "en",
    "country": "BO",
    "time_zone": "",
    "accept": "y",
}


def count_users() -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_a_stranger_registers_confirms_and_signs_in(client, mails):
    page = client.get("/register?next=/account/data")
    assert 'name="next" type="hidden" value="/account/data"' in page.text

    answer = client.post("/register", data=FORM | {"next": "/account/data"})

    assert (answer.status_code, answer.location) == (
        303,
        "/register/check-mailbox?next=/account/data",
    )
    assert "Ana@example.org" in client.get(answer.location).text
    [mail] = mails()
    assert (mail["To"], mail["Subject"]) == ("Ana@example.org", "Confirm your address")
    assert client.post("/sign-in", data=FORM).status_code == 403  # not confirmed yet

    assert client.get(link_in(mail)).status_code == 200
    assert not queries.find_user("ana@example.org").is_confirmed  # the link alone changes nothing
    answer = client.post(link_in(mail))
    assert (answer.status_code, answer.location) == (303, "/account/data")
    user = queries.find_user("ANA@example.org")
    assert (user.name, user.language, user.time_zone) == ("Ana Quispe", "en", "America/La_Paz")
    assert user.is_confirmed
    assert user.terms_accepted_at is not None

    assert client.get("/account/data").status_code == 200  # signed in
    client.post("/sign-out")
    answer = client.post("/sign-in", data=FORM | {"next": "/account/data"})
    assert (answer.status_code, answer.location) == (303, "/account/data")


def test_a_confirmation_link_works_once(client, mails):
    client.post("/register", data=FORM)
    link = link_in(mails()[0])
    client.post(link)

    answer = client.post(link)

    assert answer.status_code == 410
    assert "Send a new link" in answer.text


def test_a_confirmation_link_works_for_three_days(client, mails):
    client.post("/register", data=FORM)
    link = link_in(mails()[0])

    with time_machine.travel(clock.now() + timedelta(days=3, minutes=1), tick=False):
        assert client.get(link).status_code == 410
    with time_machine.travel(clock.now() + timedelta(days=2, hours=23), tick=False):
        assert client.get(link).status_code == 200


@pytest.mark.parametrize("token", ["x", "eyJ1c2VyIjoxfQ.aaaa.bbbb", "%00"])
def test_a_broken_link_says_what_to_do(client, token):
    for path in ("/confirm/", "/new-password/", "/account/email/"):
        answer = client.get(path + token)
        assert answer.status_code == 410
        assert "This link does not work any more" in answer.text


def test_a_token_of_one_purpose_is_worthless_for_another(client, mails):
    client.post("/register", data=FORM)
    token = link_in(mails()[0]).rsplit("/", 1)[1]

    assert client.get(f"/new-password/{token}").status_code == 410
    assert client.get(f"/account/email/{token}").status_code == 410


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "  "}, "Write your name."),
        ({"name": "Win at http://evil.example"}, "Write your name only"),
        ({"name": "Go to WWW.evil.example"}, "Write your name only"),
        ({"email": ""}, "Write your e-mail address."),
        ({"email": "ana at example"}, "Write an address like name@example.org."),
        ({"email": "ana@ex ample.org"}, "Write an address like name@example.org."),
        ({"password": "short"}, "Use at least 10 characters."),
        ({"password": "contraseña123"}, "Many people use this password"),
        ({"password": "aaaaaaaaaaaa"}, "Many people use this password"),
        ({"password": "ana@example.org"}, "Your name or address"),
        ({"password": "anaquispe2024"}, "Your name or address"),
        ({"accept": ""}, "Accept the terms to make an account."),
        ({"country": "XX"}, "Not a valid choice"),
        ({"time_zone": "Mars/Olympus"}, "Not a valid choice"),
        ({"language": "qu"}, "Not a valid choice"),
    ],
)
def test_wrong_input_is_explained_and_kept(client, mails, change, words):
    answer = client.post("/register", data=FORM | change)

    assert answer.status_code == 422
    assert words in answer.text
    assert ("Ana" in answer.text) or "name" in change
    assert PASSWORD not in answer.text
    assert (count_users(), mails()) == (0, [])


def test_a_known_address_is_told_by_mail_only(client, mails):
    make_user(email="ana@example.org", password="another password")

    answer = client.post("/register", data=FORM)

    assert (answer.status_code, answer.location) == (303, "/register/check-mailbox")
    [mail] = mails()
    assert mail["Subject"] == "You already have an account"
    assert "confirm" not in text_of(mail).lower()
    assert count_users() == 1
    assert client.post("/sign-in", data=FORM).status_code == 422


def test_registering_again_before_confirming_sends_the_link_again(client, mails):
    client.post("/register", data=FORM)
    client.post("/register", data=FORM | {"email": "ANA@example.org", "name": "Other"})

    assert [mail["Subject"] for mail in mails()] == ["Confirm your address"] * 2
    assert count_users() == 1


def test_a_second_click_leaves_both_links_good(client, mails):
    client.post("/register", data=FORM)
    [first] = mails()
    client.post("/register", data=FORM)

    assert client.post(link_in(first)).status_code == 303
    assert client.post("/sign-in", data=FORM).status_code == 303


def test_another_browser_asks_for_the_password_of_the_registration(client, app, mails):
    client.post("/register", data=FORM | {"next": "/account/data"})
    link = link_in(mails()[0])
    telephone = app.test_client()
    assert 'name="password"' in telephone.get(link).text
    assert 'name="password"' not in client.get(link).text

    for wrong, words in (("", "Write your password."), ("wrong words here", "This is not")):
        answer = telephone.post(link, data={"password": wrong})
        assert answer.status_code == 422
        assert words in answer.text
    assert not queries.find_user("ana@example.org").is_confirmed
    answer = telephone.post(link, data={"password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/account/data")
    assert telephone.get("/account/data").status_code == 200


MALLORY = FORM | {"name": "Mallory", "password": "I was here too, ha"}


@pytest.mark.parametrize("strangers_place", ["first", "last"])
def test_a_stranger_who_registers_an_address_gains_nothing(client, app, mails, strangers_place):
    stranger = app.test_client()
    both = [(stranger, MALLORY), (client, FORM)]
    for browser, form in both if strangers_place == "first" else reversed(both):
        browser.post("/register", data=form)
    links = [link_in(mail) for mail in mails()]
    theirs, own = links if strangers_place == "first" else reversed(links)

    # The owner of the mailbox opens the wrong link: it asks for a password that only the stranger
    # knows; and no other browser than the owner's own goes without.
    assert client.post(theirs).status_code == 422
    assert client.post(theirs, data={"password": PASSWORD}).status_code == 422
    assert stranger.post(own).status_code == 422
    assert client.post(own).status_code == 303

    assert queries.find_user("ana@example.org").name == "Ana Quispe"
    assert stranger.post(theirs, data=MALLORY).status_code == 410
    assert stranger.post("/sign-in", data=MALLORY).status_code == 422
    assert app.test_client().post("/sign-in", data=FORM).status_code == 303
    assert db.session.scalars(select(Registration)).all() == []


def test_the_owner_of_an_address_takes_it_back_by_a_new_password(client, app, mails):
    app.test_client().post("/register", data=MALLORY)
    link = link_in(mails()[0])
    assert "/forgotten-password" in client.get(link).text
    client.post("/forgotten-password", data={"email": FORM["email"]})

    client.post(link_in(mails()[1]), data={"password": PASSWORD})

    assert client.post(link, data=MALLORY).status_code == 410
    assert client.post("/sign-in", data=MALLORY).status_code == 422
    assert client.post("/sign-in", data=FORM).status_code == 303


def test_the_session_does_not_tell_whether_an_address_is_known(client, app, mails):
    make_user(email="ana@example.org")
    other = app.test_client()
    client.post("/register", data=FORM)
    other.post("/register", data=FORM | {"email": "nobody@example.org"})

    for browser in (client, other):
        with browser.session_transaction() as session:
            assert [len(key) for key in session["registered"]] == [32]


def test_the_mail_sent_again_is_for_what_was_typed_in_this_browser(client, app, mails):
    client.post("/register", data=FORM)
    app.test_client().post("/register", data=MALLORY)

    client.post("/confirm/again", data={"email": "ana@example.org"})

    link = link_in(mails()[-1])
    assert client.post(link).status_code == 303
    assert queries.find_user("ana@example.org").name == "Ana Quispe"


def test_what_was_typed_is_forgotten_with_its_link(client, run_jobs):
    client.post("/register", data=FORM)

    with time_machine.travel(clock.now() + timedelta(days=4), tick=False):
        remove_old_registrations()

    assert db.session.scalars(select(Registration)).all() == []


def test_the_link_is_sent_again_to_those_who_need_it(client, mails):
    make_user(email="new@example.org", email_confirmed_at=None)
    make_user(email="old@example.org")
    make_user(email="off@example.org", email_confirmed_at=None, deactivated_at=clock.now())

    for name in ("new", "old", "off", "nobody"):
        answer = client.post("/confirm/again", data={"email": f"{name}@example.org"})
        assert (answer.status_code, answer.location) == (303, "/register/check-mailbox")

    assert [mail["To"] for mail in mails()] == ["new@example.org"]


def test_mails_speak_the_language_of_the_account(client, mails):
    client.post("/register", data=FORM | {"language": "es"})

    [mail] = mails()
    assert mail["Content-Language"] == "es"
    assert '<html lang="es">' in mail.get_body(("html",)).get_content()


def test_a_signed_in_person_does_not_register(signed_in):
    assert signed_in(make_user()).get("/register").status_code == 303


@pytest.mark.parametrize(
    ("country", "language", "zone"),
    [
        ("BO", "en", "America/La_Paz"),
        ("CA", "fr", "America/Toronto"),
        ("BR", "pt", "America/Sao_Paulo"),
        ("ES", "es", "Europe/Madrid"),
        ("", "pt", "America/Sao_Paulo"),
        ("", "en", "UTC"),
    ],
)
def test_the_time_zone_is_guessed(client, country, language, zone):
    client.post("/register", data=FORM | {"country": country, "language": language})

    assert queries.find_user("ana@example.org").time_zone == zone


def test_the_terms_can_be_read_by_everybody(client):
    assert client.get("/terms").status_code == 200


def test_signs_that_nobody_sees_are_left_out(client):
    client.post("/register", data=FORM | {"name": "Ana\x00\u202e\n Quispe\u200b"})

    assert queries.find_user("ana@example.org").name == "Ana Quispe"
