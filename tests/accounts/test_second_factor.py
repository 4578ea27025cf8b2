from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from lms.accounts import queries
from lms.accounts.models import SecondFactor, User
from lms.accounts.services import second_factor as services
from lms.core import clock
from lms.core.db import db
from lms.core.models import AuditEntry
from tests.accounts.letters import text_of
from tests.factories.accounts import (
    PASSWORD,
    code_of,
    give_second_factor,
    make_administrator,
    make_user,
)

PAGE = "/account/second-factor"


@pytest.fixture
def ana(app) -> User:
    return make_user(email="ana@example.org", password=PASSWORD)


@pytest.fixture
def factor(ana) -> SecondFactor:
    """A second factor in use."""
    return give_second_factor(ana)


def later(minutes: float) -> Any:
    return time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False)


def set_up(browser) -> list[str]:
    """Go through the pages; gives the recovery codes."""
    answer = browser.post(PAGE, data={"present_password": PASSWORD, "next": "/my/courses"})
    assert answer.location == f"{PAGE}/set-up?next=/my/courses"
    page = browser.get(answer.location)
    assert "<svg" in page.text
    key = re.search(r'class="code">([A-Z2-7 ]+)<', page.text)
    assert key
    code = pyotp.TOTP(key[1].replace(" ", "")).now()
    done = browser.post(f"{PAGE}/set-up", data={"code": code, "next": "/my/courses"})
    assert done.status_code == 200
    assert 'href="/my/courses"' in done.text
    return re.findall(r'<li class="code">([a-z0-9-]+)</li>', done.text)


def test_setting_it_up_gives_recovery_codes_once_and_a_mail(signed_in, ana, mails):
    browser = signed_in(ana)
    assert browser.get(PAGE).status_code == 200

    codes = set_up(browser)

    assert len(set(codes)) == 10
    assert queries.has_second_factor(ana)
    factor = queries.find_second_factor(ana)
    assert factor
    kept = f"{factor.secret_sealed} {factor.recovery_macs}"
    assert not any(code in kept for code in codes)
    assert codes[0] not in browser.get(PAGE).text
    assert browser.get(f"{PAGE}/set-up").location == PAGE
    [mail] = mails()
    assert "has a second factor now" in text_of(mail)


def test_the_password_is_asked_before(signed_in, ana):
    answer = signed_in(ana).post(PAGE, data={"present_password": "wrong"})

    assert answer.status_code == 422
    assert "This is not your present password." in answer.text
    assert queries.find_second_factor(ana) is None


def test_a_wrong_code_does_not_turn_it_on(signed_in, ana):
    browser = signed_in(ana)
    browser.post(PAGE, data={"present_password": PASSWORD})

    answer = browser.post(f"{PAGE}/set-up", data={"code": "000000"})

    assert answer.status_code == 422
    assert "This code is not right." in answer.text
    assert not queries.has_second_factor(ana)


def test_signing_in_takes_two_steps(client, ana, factor):
    data = {"email": "ana@example.org", "password": PASSWORD, "next": "/account"}
    assert client.get("/sign-in/code").location.startswith("/sign-in")

    answer = client.post("/sign-in", data=data)

    assert answer.location == "/sign-in/code?next=/account"
    assert client.get("/account").status_code == 302
    assert client.post("/sign-in/code", data={"code": "123"}).status_code == 422
    assert client.get("/account").status_code == 302
    with later(1):
        answer = client.post("/sign-in/code", data={"code": code_of(factor), "next": "/account"})
        assert answer.location == "/account"
        assert client.get("/account").status_code == 200


def test_the_half_way_in_ends_after_ten_minutes(client, ana, factor):
    client.post("/sign-in", data={"email": "ana@example.org", "password": PASSWORD})

    with later(11):
        answer = client.post("/sign-in/code", data={"code": code_of(factor)})

    assert answer.location == "/sign-in"


def test_a_code_works_once(ana, factor):
    with later(1):
        code = code_of(factor)
        services.check(factor, code)
        with pytest.raises(services.WrongCode):
            services.check(factor, code)


@pytest.mark.parametrize(("seconds", "is_taken"), [(-29, True), (29, True), (-95, False)])
def test_clocks_may_differ_by_one_step(ana, factor, seconds, is_taken):
    at = clock.now().replace(second=15, microsecond=0) + timedelta(minutes=5)
    code = pyotp.TOTP(services.secret_of(factor)).at(at + timedelta(seconds=seconds))
    with time_machine.travel(at, tick=False):
        if is_taken:
            services.check(factor, code)
        else:
            with pytest.raises(services.WrongCode):
                services.check(factor, code)


def test_a_recovery_code_works_once_however_it_is_typed(client, ana, factor):
    [code, *_more] = services.renew_recovery_codes(factor)
    db.session.commit()
    for expected in (303, 422):
        client.post("/sign-in", data={"email": "ana@example.org", "password": PASSWORD})
        typed = code.upper().replace("-", " ")
        assert client.post("/sign-in/code", data={"code": typed}).status_code == expected
        client.post("/sign-out")


def test_acts_that_matter_ask_for_a_fresh_code_and_keep_what_was_typed(signed_in, ana, factor):
    browser = signed_in(ana)

    asked = browser.post(f"{PAGE}/recovery-codes", data={"note": 'kept "so"'})
    assert asked.status_code == 403
    assert 'name="note" value="kept &#34;so&#34;"' in asked.text
    assert f'action="{PAGE}/recovery-codes"' in asked.text
    wrong = browser.post(f"{PAGE}/recovery-codes", data={"second_factor_code": "1"})
    assert wrong.status_code == 422

    with later(1):
        data = {"second_factor_code": code_of(factor)}
        assert browser.post(f"{PAGE}/recovery-codes", data=data).status_code == 200
    with later(15):
        assert browser.post(f"{PAGE}/recovery-codes").status_code == 200
    with later(17):
        assert browser.post(f"{PAGE}/recovery-codes").status_code == 403


def test_a_proof_holds_in_its_own_browser_only(signed_in, ana, factor):
    mine, stolen = signed_in(ana), signed_in(ana)
    with later(1):
        answer = mine.post(f"{PAGE}/confirm", data={"code": code_of(factor), "next": PAGE})
        assert answer.location == PAGE
        assert mine.post(f"{PAGE}/recovery-codes").status_code == 200
        assert stolen.post(f"{PAGE}/recovery-codes").status_code == 403


def test_an_administrator_resets_it_and_that_is_told(signed_in, ana, factor, mails):
    browser = signed_in(make_administrator())
    assert "Reset the second factor" in browser.get(f"/admin/people/{ana.id}").text

    answer = browser.post(f"/admin/people/{ana.id}/second-factor/reset")

    assert answer.status_code == 303
    assert not queries.has_second_factor(ana)
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert "accounts.reset_second_factor" in acts
    assert any("was removed just now" in text_of(mail) for mail in mails())


def test_nobody_else_resets_it(signed_in, client, ana, factor):
    path = f"/admin/people/{ana.id}/second-factor/reset"
    assert signed_in(make_user()).post(path).status_code == 403
    assert signed_in(ana).post(path).status_code == 403
    assert client.post(path).status_code == 302
    assert queries.has_second_factor(ana)


def test_an_administrator_with_a_second_factor_proves_it_before_giving_rights(
    signed_in, ana, factor
):
    ana.is_administrator = True
    other = make_user()
    path = f"/admin/people/{other.id}/make-administrator"

    assert signed_in(ana).post(path).status_code == 403
    with later(1):
        signed_in(ana).post(path, data={"second_factor_code": code_of(factor)})
    assert db.session.get(User, other.id).is_administrator


def test_removing_it_needs_a_proof(signed_in, ana, factor):
    browser = signed_in(ana)
    assert browser.post(f"{PAGE}/remove").status_code == 403
    with later(1):
        browser.post(f"{PAGE}/remove", data={"second_factor_code": code_of(factor)})
    assert not queries.has_second_factor(ana)


def test_the_command_line_helps_the_last_administrator(app, ana, factor):
    done = app.test_cli_runner().invoke(args=["user", "reset-second-factor", "ana@example.org"])

    assert done.exit_code == 0, done.output
    assert not queries.has_second_factor(ana)
