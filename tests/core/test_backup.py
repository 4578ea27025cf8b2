from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lms.accounts.models import User
from lms.app import create_app
from lms.config import Settings
from lms.core.backup import BackupError, make_backup, restore_backup
from lms.core.db import Model, db
from lms.core.files import ATTACHMENTS, keep_file, read_file
from lms.core.migrations import upgrade
from lms.core.models import StoredFile
from tests.factories.accounts import make_user
from tests.factories.courses import make_activity, make_enrolment, make_module, make_run
from tests.postgres import postgres_server

pytestmark = pytest.mark.slow


def quiet(what: str, done: int, of: int) -> None:
    pass


@pytest.fixture
def new_site(tmp_path) -> Iterator:
    """Makes empty sites at the newest version of the database."""
    opened = []

    def make(name: str, url: str | None = None):
        app = create_app(Settings(data_dir=tmp_path / name, database_url=url), testing=True)
        context = app.app_context()
        context.push()
        upgrade()
        opened.append(context)
        return context

    yield make
    for context in reversed(opened):
        db.session.close()
        db.engine.dispose()
        context.pop()


def fill() -> None:
    run = make_run()
    make_enrolment(run, make_user(email="ana@example.org", name="Ana Ñaupari"))
    make_activity(make_module(run.course))
    keep_file(b"a,b\n1,2\n", "table.csv", ATTACHMENTS)
    db.session.commit()


def all_rows() -> dict[str, list]:
    return {
        table.name: [
            tuple(row) for row in db.session.execute(select(table).order_by(*table.primary_key))
        ]
        for table in Model.metadata.sorted_tables
    }


def test_a_restored_site_is_the_same(new_site, tmp_path):
    first = new_site("first")
    fill()
    before = all_rows()
    db.session.rollback()
    make_backup(tmp_path / "backup.zip", quiet)
    secret = (tmp_path / "first" / "secret_key").read_text()
    assert first

    new_site("second")
    restore_backup(tmp_path / "backup.zip", quiet)

    assert all_rows() == before
    assert read_file(db.session.scalars(select(StoredFile)).one()) == b"a,b\n1,2\n"
    assert (tmp_path / "second" / "secret_key").read_text() == secret


@pytest.mark.postgres
def test_a_site_that_outgrows_sqlite_moves_to_postgresql(new_site, tmp_path):
    new_site("small")
    fill()
    before = all_rows()
    db.session.rollback()
    make_backup(tmp_path / "backup.zip", quiet)

    with postgres_server() as url:
        new_site("large", url)
        restore_backup(tmp_path / "backup.zip", quiet)

        assert all_rows() == before
        db.session.rollback()
        make_user(email="new@example.org")
        assert db.session.scalar(select(func.count()).select_from(User)) == 2
        db.session.close()
        db.engine.dispose()


def test_a_site_with_people_is_not_overwritten(new_site, tmp_path):
    new_site("first")
    fill()
    make_backup(tmp_path / "backup.zip", quiet)

    with pytest.raises(BackupError, match="not empty"):
        restore_backup(tmp_path / "backup.zip", quiet)


def test_a_damaged_backup_leaves_no_trace(new_site, tmp_path):
    new_site("first")
    fill()
    make_backup(tmp_path / "backup.zip", quiet)
    with (
        zipfile.ZipFile(tmp_path / "backup.zip") as whole,
        zipfile.ZipFile(tmp_path / "cut.zip", "w") as cut,
    ):
        for name in whole.namelist():
            content = whole.read(name)
            cut.writestr(name, b"" if name == "tables/enrolments.jsonl" else content)
    new_site("second")

    with pytest.raises(BackupError, match="damaged"):
        restore_backup(tmp_path / "cut.zip", quiet)

    assert db.session.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip file"])
def test_what_is_no_backup_is_refused(new_site, tmp_path, content):
    new_site("first")
    path = Path(tmp_path / "x.zip")
    path.write_bytes(content)

    with pytest.raises(BackupError, match="not a backup"):
        restore_backup(path, quiet)


def test_a_backup_is_for_its_owner_only_while_it_is_written(new_site, tmp_path):
    new_site("first")
    fill()
    db.session.rollback()
    modes: set[int] = set()

    def look(what: str, done: int, of: int) -> None:
        modes.update(path.stat().st_mode & 0o777 for path in tmp_path.glob("backup.zip*"))

    make_backup(tmp_path / "backup.zip", look)

    assert modes == {0o600}
    assert (tmp_path / "backup.zip").stat().st_mode & 0o777 == 0o600


def test_a_backup_is_never_overwritten(new_site, tmp_path):
    new_site("first")
    (tmp_path / "backup.zip").write_bytes(b"precious")

    with pytest.raises(BackupError, match="exists"):
        make_backup(tmp_path / "backup.zip", quiet)

    assert (tmp_path / "backup.zip").read_bytes() == b"precious"
