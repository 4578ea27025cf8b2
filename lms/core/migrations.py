"""Database versions with Alembic, without its command line."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from lms.core.db import db

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def alembic_config() -> Config:
    """Alembic's configuration, with the connection of the running app."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(rev)s_%%(slug)s")
    return config


def upgrade(revision: str = "head") -> None:
    """Bring the database of the running app to `revision`."""
    command.upgrade(alembic_config(), revision)


def downgrade(revision: str) -> None:
    """Take the database of the running app back to `revision`."""
    command.downgrade(alembic_config(), revision)


def write_revision(message: str) -> str:
    """Compare models and database and write a migration; returns its path."""
    script = command.revision(alembic_config(), message=message, autogenerate=True)
    return str(getattr(script, "path", ""))


def pending() -> bool:
    """Whether the database is behind the newest version."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() != head
