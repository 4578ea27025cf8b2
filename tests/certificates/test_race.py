"""Two completions at the same moment, on connections of their own."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.app import create_app
from lms.certificates.models import Credential, IssuerKey, StatusList
from lms.certificates.services import issue, keys
from lms.config import Settings
from lms.core.db import Model, db, transaction, write_intent
from lms.courses.models import Enrolment
from tests.factories.certificates import make_completed_enrolment


@pytest.fixture
def own_app(settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """An app with a database of its own, so that threads commit for real."""
    url = None
    if settings.database_url:
        name = f"race_{uuid.uuid4().hex}"
        address = settings.database_url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = settings.database_url.replace("/postgres?", f"/{name}?")
    own = settings.model_copy(update={"data_dir": tmp_path, "database_url": url})
    for cached in ("data_path", "sqlalchemy_url", "is_sqlite"):
        own.__dict__.pop(cached, None)
    app = create_app(own, testing=True)
    keys.forget_opened()
    with app.app_context():
        Model.metadata.create_all(db.engine)
    yield app
    with app.app_context():
        db.engine.dispose()


def at_once(app: Flask, work, count: int = 6) -> list[object]:
    """Run `work` in threads that start together; gives results or errors."""
    start = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        with app.app_context():
            start.wait()
            try:
                with transaction():
                    results.append(work())
            except Exception as error:
                results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_one_certificate_one_key_one_list_whoever_comes_at_the_same_time(own_app):
    with own_app.app_context(), write_intent(True):
        enrolment_id = make_completed_enrolment().id

    def complete() -> str:
        enrolment = db.session.get(Enrolment, enrolment_id)
        return issue.issue_for_completion(enrolment).code

    codes = at_once(own_app, complete)

    assert len(set(codes)) == 1, codes
    with own_app.app_context():
        for model, count in ((Credential, 1), (IssuerKey, 2), (StatusList, 1)):
            assert db.session.scalar(select(func.count()).select_from(model)) == count


def test_two_administrators_revoke_and_correct_at_the_same_time(own_app):
    from lms.certificates import queries
    from lms.certificates.models import RevocationReason
    from lms.certificates.services import revoke
    from tests.factories.accounts import make_administrator
    from tests.factories.certificates import make_credential

    with own_app.app_context(), write_intent(True):
        admin_id = make_administrator().id
        credential_id = make_credential().id
    turn = iter(range(6))

    def act() -> str:
        credential = queries.get_credential(credential_id)
        if next(turn) % 2:
            revoke.revoke(credential, RevocationReason.ERROR, None, admin_id)
            return "revoked"
        return issue.reissue(credential, "Another Name", admin_id).code

    results = at_once(own_app, act)

    assert len([result for result in results if isinstance(result, str)]) == 1, results
    with own_app.app_context():
        kept = queries.get_credential(credential_id)
        made = db.session.scalar(select(func.count()).select_from(Credential))
        assert kept.is_revoked
        assert made == (2 if kept.revocation_reason == "superseded" else 1)
