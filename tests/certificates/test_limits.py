"""How often strangers may guess. With an app of its own, since the others run without limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db, write_intent
from lms.core.limits import limiter
from tests.certificates.wallet import registration
from tests.factories.certificates import make_credential


@pytest.fixture(scope="module")
def limited(tmp_path_factory) -> Iterator[Flask]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("limited"),
        rate_limits=True,
        secret_key="a key for tests only",
        log_level="WARNING",
    )
    app = create_app(settings, testing=True)
    with app.app_context(), write_intent(True):
        Model.metadata.create_all(db.engine)
    yield app
    limiter.reset()
    limiter.enabled = False
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def stranger(limited):
    limiter.enabled = True
    limiter.reset()
    yield limited.test_client()
    limiter.enabled = False


def test_wrong_codes_are_limited_and_right_ones_are_not(limited, stranger):
    with limited.app_context(), write_intent(True):
        code = make_credential().code
        db.session.close()

    right = [stranger.get(f"/verify/{code}").status_code for _number in range(70)]
    wrong = [
        stranger.get(f"/verify/PU-0000-0000-0000-{number:04d}").status_code
        for number in range(1000, 1061)
    ]

    assert right == [200] * 70
    assert wrong == [404] * 60 + [429]
    assert stranger.get("/verify/PU-0000-0000-0000-9999.json").status_code == 429
    assert stranger.get("/connect/offers/guessed").status_code == 429


def test_programs_register_a_few_times_an_hour(stranger):
    answers = [
        stranger.post("/connect/register", json=registration()).status_code for _number in range(21)
    ]

    assert answers == [201] * 20 + [429]


def test_the_api_says_so_in_its_own_words(stranger):
    answers = [stranger.get("/ims/ob/v3p0/discovery") for _number in range(601)]

    assert {answer.status_code for answer in answers[:600]} == {200}
    last = answers[-1]
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) > 0
    field = last.json["imsx_codeMinor"]["imsx_codeMinorField"][0]
    assert field["imsx_codeMinorFieldValue"] == "server_busy"
