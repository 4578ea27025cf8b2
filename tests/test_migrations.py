"""Migrations and models agree, and every migration can be taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db
from lms.core.migrations import downgrade, pending, upgrade
from tests.conftest import DATABASE
from tests.postgres import postgres_server

pytestmark = pytest.mark.slow


@pytest.fixture
def empty_site(tmp_path) -> Iterator[None]:
    if DATABASE == "postgresql":
        with postgres_server() as url:
            yield from _site(tmp_path, url)
    else:
        yield from _site(tmp_path, None)


def _site(tmp_path, url: str | None) -> Iterator[None]:
    app = create_app(Settings(data_dir=tmp_path, secret_key="k", database_url=url), testing=True)
    with app.app_context():
        yield
        db.session.close()
        db.engine.dispose()


def test_models_and_migrations_agree(empty_site):
    upgrade()

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Model.metadata)

    assert differences == []
    assert not pending()


def triggers() -> list[tuple[str, ...]]:
    """The triggers that the database has, with what they do."""
    query = (
        "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'"
        if DATABASE == "sqlite"
        else "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger"
        " WHERE NOT tgisinternal"
    )
    return sorted(tuple(row) for row in db.session.execute(text(query)))


def test_triggers_of_models_and_migrations_agree(empty_site):
    """SQLite drops them with a table that a migration makes anew."""
    upgrade()
    migrated = triggers()
    db.session.commit()
    downgrade("base")
    Model.metadata.create_all(db.engine)

    assert migrated == triggers()


def test_every_migration_can_be_taken_back(empty_site):
    upgrade()
    downgrade("base")

    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    assert pending()

    upgrade()
    assert not pending()
