"""Small writes beside requests are done by a thread, and never hold up whoever asked."""

from __future__ import annotations

import base64
import threading
import time

import pytest
from sqlalchemy import select

from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db, transaction
from lms.xapi.api import refusals
from lms.xapi.models import KeyScope, RefusedRequest, XapiKey
from lms.xapi.services.keys import make_key
from lms.xapi.services.refused import Quota


@pytest.mark.sqlite
def test_readers_are_answered_while_somebody_else_writes_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr(refusals, "quota", Quota())  # what other tests used up
    app = create_app(Settings(data_dir=tmp_path, secret_key="k"), testing=True)
    app.testing = False
    with app.app_context():
        Model.metadata.create_all(db.engine)
        with transaction():
            key, secret = make_key("A tool", KeyScope.READ, None)
    token = base64.b64encode(f"{key}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "X-Experience-API-Version": "1.0.3"}

    with app.app_context(), transaction():  # a long import, say
        begun = time.monotonic()
        client = app.test_client()
        answers = _ask(client, headers)
        took = time.monotonic() - begun

    assert answers == [200, 400]
    assert took < 5
    with app.app_context():
        until = time.monotonic() + 10
        while time.monotonic() < until and not _is_kept():
            time.sleep(0.02)
        assert _is_kept()
        db.session.close()
        db.engine.dispose()


def _ask(client, headers) -> list[int]:
    """From another thread, as every request comes."""
    answers: list[int] = []

    def ask() -> None:
        for path in ("/xapi/statements", "/xapi/statements?colour=red"):
            answers.append(client.get(path, headers=headers).status_code)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout=20)
    return answers


def _is_kept() -> bool:
    db.session.rollback()
    used = db.session.scalars(select(XapiKey.last_used_at)).one()
    return used is not None and len(db.session.scalars(select(RefusedRequest)).all()) == 1
