"""Fixtures of the record store's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db
from tests.conftest import DATABASE
from tests.postgres import postgres_server


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flask]:
    """An app on a database of its own, in which transactions end for real."""
    if DATABASE == "postgresql":
        with postgres_server() as url:
            yield from _site(tmp_path, url)
    else:
        yield from _site(tmp_path, None)


def _site(tmp_path: Path, url: str | None) -> Iterator[Flask]:
    app = create_app(Settings(data_dir=tmp_path, secret_key="k", database_url=url), testing=True)
    with app.app_context():
        Model.metadata.create_all(db.engine)
    yield app
    with app.app_context():
        db.engine.dispose()
