"""Fixtures of all tests: the app on either database, each test rolled back."""

from __future__ import annotations

import contextvars
import email
import email.policy
import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from lms.accounts.models import SignIn, User
from lms.accounts.services.sign_ins import open_sign_in
from lms.app import create_app
from lms.certificates import web_token
from lms.config import Settings
from lms.core import clock, outbox
from lms.core.db import Model, db, write_intent
from lms.core.limits import limiter
from tests.factories.accounts import give_second_factor
from tests.postgres import postgres_server

DATABASE = os.environ.get("LMS_TEST_DATABASE", "sqlite")
ROOMS_OFF = tuple(os.environ.get("LMS_TEST_ROOMS_OFF", "").split())


gc.disable()  # until all is imported: nothing of it is garbage


def pytest_collection_finish() -> None:
    """Let the garbage collector look seldom, and never at what stays to the end."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of rooms that are switched off, those marked to need one, and those
    that say nothing of the database of this run."""
    off = set(ROOMS_OFF)
    here = Path(__file__).parent
    chosen, left_out = [], []
    for item in items:
        room = item.path.relative_to(here).parts[0]
        needed = {name for mark in item.iter_markers("needs") for name in mark.args}
        if DATABASE == "postgresql":
            is_elsewhere = not (item.get_closest_marker("browser") or asks_database(item))
        else:
            is_elsewhere = item.get_closest_marker("postgresql") is not None
        (left_out if is_elsewhere or off & ({room} | needed) else chosen).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen


def asks_database(item: Any) -> bool:
    """Whether a test uses the database of the run: by our settings, or one of its own beside it."""
    if "settings" in item.fixturenames:
        return True
    made_by = [fixtures[-1].func for fixtures in item._fixtureinfo.name2fixturedefs.values()]
    modules = {item.module} | {sys.modules[maker.__module__] for maker in made_by}
    ways = {"own_database", "postgres_server", "running_endpoint"}
    return any(ways & vars(module).keys() for module in modules - {sys.modules[__name__]})


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with ExitStack() as stack:
        url = stack.enter_context(postgres_server()) if DATABASE == "postgresql" else None
        yield Settings(
            data_dir=tmp_path_factory.mktemp("data"),
            plugins_off=ROOMS_OFF,
            base_url="http://puente.test",
            database_url=url,
            rate_limits=False,
            password_time_cost=1,
            password_memory_kib=64,
            secret_key="a key for tests only",
            default_time_zone="UTC",
            log_level="WARNING",
        )


class Browser(FlaskClient):
    """A test client whose requests share nothing with the test but the database."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if not has_app_context():  # a redirect that is being followed
            return super().open(*args, **kwargs)
        db.session.commit()
        response: TestResponse = contextvars.Context().run(super().open, *args, **kwargs)
        db.session.expire_all()
        return response


@pytest.fixture(scope="session")
def whole_app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings, testing=True)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    with app.app_context():
        Model.metadata.create_all(db.engine)
    gc.freeze()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def few_rsa_keys() -> Iterator[None]:
    """RSA keys take long to find, so all tests of a process have the same few."""
    find, made = web_token.make_private_key, []

    def make() -> bytes:
        made.append(find() if len(made) < 2 else made[-2])
        return made[-1]

    web_token.make_private_key = make
    yield
    web_token.make_private_key = find


@pytest.fixture
def app(whole_app: Flask) -> Iterator[Flask]:
    """The app inside a transaction that is rolled back after the test."""
    limiter.enabled = False  # one for all apps: the last that was made decides
    with whole_app.app_context():
        with write_intent(True):
            connection = db.engine.connect()
            outer = connection.begin()
        db.sessionmaker.configure(bind=connection, join_transaction_mode="create_savepoint")
        yield whole_app
        db.session.close()
        outer.rollback()
        connection.close()
        db.sessionmaker.configure(bind=db.engine, join_transaction_mode="conditional_savepoint")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser of a stranger."""
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask) -> Callable[[User], FlaskClient]:
    """A browser in which this person is signed in."""

    def sign_in(user: User) -> FlaskClient:
        browser, key = app.test_client(), open_sign_in(user)
        with browser.session_transaction() as session:
            session["_user_id"] = key
            session["_fresh"] = True
        return browser

    return sign_in


@pytest.fixture
def proven(signed_in) -> Callable[[User], FlaskClient]:
    """A browser in which this person has just proven the second factor."""

    def sign_in(user: User) -> FlaskClient:
        give_second_factor(user)
        browser = signed_in(user)
        db.session.execute(
            update(SignIn).where(SignIn.user_id == user.id).values(second_factor_at=clock.now())
        )
        db.session.commit()
        return browser

    return sign_in


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], None]:
    """Do all work that was enqueued, and what that work enqueues."""

    def run() -> None:
        db.session.commit()
        for _round in range(20):
            if not outbox.run_due():
                break
        db.session.expire_all()

    return run


@pytest.fixture
def mails(app: Flask, settings: Settings, run_jobs: Callable[[], None]) -> Iterator[Callable]:
    """Do the jobs and give all mails sent so far in this test."""
    folder = Path(settings.data_path) / "mails"
    shutil.rmtree(folder, ignore_errors=True)

    def read() -> list[EmailMessage]:
        run_jobs()
        found = sorted(folder.glob("*.eml"), key=lambda p: p.stat().st_mtime_ns)
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in found
        ]

    yield read
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def count_queries(app: Flask) -> Iterator[Callable[[], int]]:
    """Statements sent to the database since the last call."""
    from sqlalchemy import event

    seen: list[str] = []

    def note(connection, cursor, statement, *rest) -> None:
        if not statement.upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)

    def count() -> int:
        number = len(seen)
        seen.clear()
        return number

    yield count
    event.remove(db.engine, "before_cursor_execute", note)
