"""How often one may try. With an app of its own, since the others run without limits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import User
from lms.accounts.services import second_factor
from lms.app import create_app
from lms.config import Settings
from lms.core import clock
from lms.core.db import Model, db
from lms.core.limits import limiter
from tests.conftest import Browser
from tests.factories.accounts import PASSWORD, code_of, give_second_factor, make_user


@pytest.fixture(scope="module")
def limited_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("limits"),
        rate_limits=True,
        password_time_cost=1,
        password_memory_kib=64,
        secret_key="a key for tests only",
        log_level="WARNING",
    )
    app = create_app(settings, testing=True)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    with app.app_context():
        Model.metadata.create_all(db.engine)
        make_user(email="ana@example.org", password=PASSWORD)
        yield app
        db.session.close()
        db.engine.dispose()
    limiter.enabled = False


@pytest.fixture
def ana(limited_app: Flask) -> User:
    from lms.accounts.queries import find_user

    user = find_user("ana@example.org")
    assert user is not None
    return user


@pytest.fixture
def client(limited_app: Flask) -> Iterator[FlaskClient]:
    limiter.reset()
    yield limited_app.test_client()
    limiter.reset()


def sign_in(client, email="ana@example.org", password=PASSWORD):
    return client.post("/sign-in", data={"email": email, "password": password})


def test_guessing_a_password_is_slowed_down(client, ana):
    for _try in range(10):
        assert sign_in(client, password="a wrong guess").status_code == 422

    answer = sign_in(client)
    assert answer.status_code == 429
    assert "Too many tries" in answer.text
    assert sign_in(client, "other@example.org", "x").status_code == 422  # only this account


def test_the_answer_says_how_long_to_wait_and_keeps_what_was_typed(client, ana):
    start = clock.now()
    with time_machine.travel(start, tick=False):
        for _try in range(10):
            sign_in(client, password="a wrong guess")
    with time_machine.travel(start + timedelta(minutes=3, seconds=10), tick=False):
        answer = client.post(
            "/sign-in", data={"email": "ana@example.org", "password": PASSWORD, "next": '/a"b'}
        )

    assert answer.status_code == 429
    assert 408 <= int(answer.headers["Retry-After"]) <= 412
    assert "Wait 7 minutes, then try again." in answer.text
    assert 'type="hidden" name="email" value="ana@example.org"' in answer.text
    assert 'name="next" value="/a&#34;b"' in answer.text
    assert PASSWORD not in answer.text
    with time_machine.travel(start + timedelta(minutes=10, seconds=2), tick=False):
        assert sign_in(client).status_code == 303


def test_programs_are_told_how_long_to_wait(client, ana):
    for _try in range(10):
        sign_in(client, password="a wrong guess")

    answer = client.post(
        "/sign-in",
        data={"email": "ana@example.org", "password": "x"},
        headers={"Accept": "application/json"},
    )

    assert (answer.status_code, answer.json["error"]["status"]) == (429, 429)
    assert 590 <= int(answer.headers["Retry-After"]) <= 601


def test_all_server_processes_count_together(limited_app, client, ana):
    for _try in range(9):
        sign_in(client, password="a wrong guess")
    program = """
import sys
from lms.core.limit_storage import FileStorage
storage = FileStorage("tries://" + sys.argv[1])
[key] = {row[0] for row in storage._connection().execute("SELECT key FROM tries")
         if "account:ana" in row[0]}
print(storage.acquire_entry(key, 10, 600), storage.acquire_entry(key, 10, 600))
"""
    file = str(limited_app.extensions["settings"].data_path / "limits.sqlite3")

    other = subprocess.run(
        [sys.executable, "-c", program, file], capture_output=True, text=True, check=True
    )

    assert other.stdout.split() == ["True", "False"]
    assert sign_in(client).status_code == 429


def test_signing_in_well_is_not_limited(client, ana):
    for _try in range(12):
        assert sign_in(client).status_code == 303
        client.post("/sign-out")


def test_guessing_many_accounts_is_slowed_down(client):
    answers = [sign_in(client, f"p{i}@example.org", "x").status_code for i in range(31)]

    assert answers == [422] * 30 + [429]


@pytest.mark.parametrize("path", ["/register", "/forgotten-password", "/confirm/again"])
def test_mails_to_one_address_are_limited(client, path):
    form = {
        "name": "Ana", "email": "ana@example.org", "password": PASSWORD, "language": "en",
        "accept": "y",
    }  # fmt: skip
    answers = [client.post(path, data=form).status_code for _try in range(6)]

    assert answers[-1] == 429
    assert 429 not in answers[:-1]
    assert client.get(path).status_code == 200


def test_typing_errors_do_not_use_up_the_tries(client):
    form = {"email": "ana@example.org", "password": "short"}
    answers = {client.post("/register", data=form).status_code for _try in range(12)}

    assert answers == {422}


def test_one_visitor_cannot_guess_the_password_of_an_open_session(client, ana):
    sign_in(client)
    form = {"old_password": "wrong guess", "password": "four new words here"}
    answers = {client.post("/account/password", data=form).status_code for _try in range(31)}

    assert answers == {422, 429}


def test_one_persons_errors_do_not_lock_others_out(client, ana):
    form = {"old_password": "wrong guess", "password": "four new words here"}
    sign_in(client)
    while client.post("/account/password", data=form).status_code != 429:
        pass
    bruno = make_user(password=PASSWORD)
    client.post("/sign-out")
    sign_in(client, bruno.email)

    assert client.post("/account/password", data=form).status_code == 422


def test_mails_to_new_addresses_are_limited_for_each_person(client, ana):
    sign_in(client)
    answers = [
        client.post(
            "/account/email",
            data={"email": f"p{i}@example.org", "email_password": PASSWORD},
        ).status_code
        for i in range(11)
    ]

    assert answers == [303] * 10 + [429]


def test_guessing_codes_of_the_second_factor_is_slowed_down(client, ana):
    factor = give_second_factor(ana)
    sign_in(client)
    for _try in range(10):
        assert client.post("/sign-in/code", data={"code": "000"}).status_code == 422

    start = clock.now()
    with time_machine.travel(start + timedelta(minutes=1), tick=False):
        answer = client.post("/sign-in/code", data={"code": code_of(factor)})
        assert "Too many wrong codes." in answer.text
    with time_machine.travel(start + timedelta(minutes=11), tick=False):
        sign_in(client)
        data = {"code": code_of(factor)}
        assert client.post("/sign-in/code", data=data).status_code == 303
    second_factor.reset(ana, None)
    db.session.commit()
