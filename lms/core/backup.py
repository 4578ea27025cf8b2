"""Backup and restore of everything: rows, files and the signing key, in one zip file.

The format is the same for both databases, so a backup of SQLite can be restored into PostgreSQL
when a site outgrows the embedded default, and the other way round.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, func, insert, select, text

from lms import __version__
from lms.config import ConfigurationError
from lms.core import clock
from lms.core.db import Model, UtcDateTime, db, write_intent
from lms.core.files import file_store
from lms.core.migrations import pending
from lms.core.models import StoredFile
from lms.core.rollups import FILLED_BY_TRIGGERS
from lms.core.settings import settings

FORMAT = 1
BATCH = 1000
Tell = Callable[[str, int, int], None]  # what, done, of


class BackupError(ConfigurationError):
    """A backup cannot be made or restored; the message says what to do."""


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def make_backup(path: Path, tell: Tell) -> dict[str, int]:
    """Write a backup; returns how many rows each table has.

    All tables are read in one transaction, so that they fit together. Raises BackupError when the
    file exists or the database is not at the newest version.
    """
    if path.exists():
        raise BackupError(f"{path} exists: choose another name")
    if pending():
        raise BackupError("the database is behind: run `lms init` first")
    draft = path.with_suffix(path.suffix + ".part")
    draft.touch(mode=0o600)  # nobody else reads along while it is written
    draft.chmod(0o600)
    counts: dict[str, int] = {}
    with (
        zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        _snapshot() as connection,
    ):
        for table in Model.metadata.sorted_tables:
            counts[table.name] = _write_table(archive, connection, table, tell)
        paths = connection.scalars(select(StoredFile.path).distinct()).all()
        store = file_store()
        for done, file_path in enumerate(paths, start=1):
            tell("files", done, len(paths))
            archive.writestr(f"files/{file_path}", store.read(file_path), zipfile.ZIP_STORED)
        if settings().secret_key is None:
            archive.writestr("secret_key", settings().secret())
        manifest = {
            "format": FORMAT,
            "version": __version__,
            "revision": _revision(connection),
            "made_at": clock.now().isoformat(),
            "tables": counts,
            "files": len(paths),
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=2))
    draft.rename(path)
    return counts


class _snapshot:
    """A connection that sees one state of the database for as long as it is open."""

    def __enter__(self) -> Connection:
        engine = db.engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self.connection = engine.connect()
        self.connection.begin()
        return self.connection

    def __exit__(self, *error: object) -> None:
        self.connection.rollback()
        self.connection.close()


def _write_table(archive: zipfile.ZipFile, connection: Connection, table: Table, tell: Tell) -> int:
    total = connection.scalar(select(func.count()).select_from(table)) or 0
    done = 0
    rows = connection.execution_options(yield_per=BATCH).execute(
        select(table).order_by(*table.primary_key.columns)
    )
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as out:
        for row in rows.mappings():
            out.write(orjson.dumps(_plain(dict(row)), option=orjson.OPT_APPEND_NEWLINE))
            done += 1
            if done % BATCH == 0:
                tell(table.name, done, total)
    tell(table.name, done, total)
    return done


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        str(name): {"$bytes": value.hex()} if isinstance(value, bytes) else value
        for name, value in row.items()
    }


def restore_backup(path: Path, tell: Tell) -> dict[str, int]:
    """Read a backup into an empty, newly initialised site; all rows or none.

    Raises BackupError when the file is no backup, comes from another version of the database, or
    the site is not empty.
    """
    try:
        archive = zipfile.ZipFile(path)
        manifest = json.loads(archive.read("manifest.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise BackupError(f"{path} is not a backup of Puente") from None
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{path} has a format that this version does not know")
    with archive, write_intent(True), db.engine.begin() as connection:
        revision = _revision(connection)
        if revision is None:
            raise BackupError("the database is empty: run `lms init` first")
        if revision != manifest["revision"]:
            raise BackupError(
                f"the backup is of database version {manifest['revision']}, the site at "
                f"{revision}: restore with Puente {manifest['version']}, then upgrade"
            )
        counts = _read_tables(archive, connection, manifest, tell)
        _check_counts(counts, manifest["tables"])
        _restore_files(archive, tell)
    if "secret_key" in archive.namelist() and settings().secret_key is None:
        key = settings().data_path / "secret_key"
        with zipfile.ZipFile(path) as again:
            key.write_bytes(again.read("secret_key"))
        key.chmod(0o600)
    return counts


def _read_tables(
    archive: zipfile.ZipFile, connection: Connection, manifest: dict[str, Any], tell: Tell
) -> dict[str, int]:
    tables = Model.metadata.sorted_tables
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA defer_foreign_keys=ON"))
    if connection.scalar(select(func.count()).select_from(Model.metadata.tables["users"])):
        raise BackupError("the site is not empty: restore into a new data folder or database")
    for table in reversed(tables):  # what `lms init` put there
        connection.execute(table.delete())
    counts: dict[str, int] = {}
    for table in sorted(tables, key=lambda table: FILLED_BY_TRIGGERS in table.info):
        name = f"tables/{table.name}.jsonl"
        if name not in archive.namelist():
            continue
        if FILLED_BY_TRIGGERS in table.info:  # by the rows that were just read
            connection.execute(table.delete())
        total = manifest["tables"].get(table.name, 0)
        counts[table.name] = 0
        with archive.open(name) as lines:
            for batch in _batches(_rows(lines, table)):
                connection.execute(insert(table), batch)
                counts[table.name] += len(batch)
                tell(table.name, counts[table.name], total)
        _reset_sequence(connection, table)
    return counts


def _rows(lines: Any, table: Table) -> Iterator[dict[str, Any]]:
    for line in lines:
        row = orjson.loads(line)
        yield {
            column.name: _typed(column.type, row[column.name])
            for column in table.columns
            if column.name in row
        }


def _typed(kind: Any, value: Any) -> Any:
    """A JSON value as the column takes it."""
    if value is None:
        return None
    if isinstance(value, dict) and set(value) == {"$bytes"}:
        return bytes.fromhex(value["$bytes"])
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    python = getattr(kind, "python_type", None) if not hasattr(kind, "none_as_null") else None
    if python is date and isinstance(value, str):
        return date.fromisoformat(value)
    if python is UUID and isinstance(value, str):
        return UUID(value)
    return value


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _reset_sequence(connection: Connection, table: Table) -> None:
    """Let PostgreSQL go on counting behind the restored ids."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        sequence = connection.scalar(
            select(func.pg_get_serial_sequence(f'"{table.name}"', column.name))
        )
        if sequence:
            newest = connection.scalar(select(func.max(column)))
            if newest is not None:
                connection.execute(select(func.setval(sequence, newest)))


def _check_counts(counts: dict[str, int], wanted: dict[str, int]) -> None:
    for name, count in wanted.items():
        if counts.get(name, 0) != count:
            raise BackupError(f"the backup is damaged: table {name} is not whole")


def _restore_files(archive: zipfile.ZipFile, tell: Tell) -> None:
    names = [name for name in archive.namelist() if name.startswith("files/")]
    if any(".." in name.split("/") for name in names):
        raise BackupError("the backup names files outside of the store")
    store = file_store()
    for done, name in enumerate(names, start=1):
        store.write(name.removeprefix("files/"), archive.read(name))
        tell("files", done, len(names))
