"""The download of all my data: a ZIP file with one JSON file a room and all my uploads."""

from __future__ import annotations

import tempfile
import zipfile
from datetime import timedelta

import orjson
from sqlalchemy import exists, select

from lms.accounts import queries
from lms.accounts.models import DataDownload, User
from lms.core import clock
from lms.core.db import db, transaction
from lms.core.files import clean_name, file_store, keep_file
from lms.core.models import StoredFile
from lms.core.outbox import enqueue
from lms.core.personal_data import personal_data

KEPT_FOR = timedelta(days=7)


def request_download(user: User) -> DataDownload:
    """Let a job collect all that is kept about the person; one at a time."""
    db.session.refresh(user, with_for_update=True)  # a double click waits here for the first
    download = queries.newest_download(user.id, clock.now())
    if download is None or download.ready_at is not None:
        download = DataDownload(user_id=user.id)
        db.session.add(download)
        db.session.flush()
        enqueue("accounts.build_download", download_id=download.id)
    return download


def build_download(download_id: int) -> None:
    """Build the file and tell the person. Done again, it changes nothing."""
    download = db.session.get(DataDownload, download_id)
    if download is None or download.ready_at is not None or not download.user.is_active:
        return
    user = download.user
    content = make_archive(user.id)
    name = f"puente-{clock.now():%Y-%m-%d}.zip"
    with transaction():
        download = db.session.get_one(DataDownload, download_id)
        download.file = keep_file(content, name, None)
        download.ready_at = clock.now()
        download.expires_at = download.ready_at + KEPT_FOR
        enqueue("accounts.mail", letter="download_ready", user_id=download.user_id)


def make_archive(user_id: int) -> bytes:
    """All that each room keeps about the person, and the files the person uploaded."""
    with tempfile.TemporaryFile() as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for room in personal_data.values():
                found = room.export(user_id)
                archive.writestr(
                    f"{room.name}.json",
                    orjson.dumps(found, option=orjson.OPT_INDENT_2, default=str),
                )
            for row in db.session.scalars(queries.list_own_files(user_id)):
                try:
                    content = file_store().read(row.path)
                except FileNotFoundError:
                    continue
                archive.writestr(f"files/{row.id}-{clean_name(row.name)}", content)
        stream.seek(0)
        return stream.read()


def remove_old_downloads() -> None:
    """Remove the files whose week is over."""
    over = select(DataDownload).where(DataDownload.expires_at < clock.now())
    for download in db.session.scalars(over):
        remove_download(download)


def remove_download(download: DataDownload) -> None:
    """Forget a download; its bytes go after commit."""
    file = download.file
    db.session.delete(download)
    db.session.flush()
    if file is not None:
        db.session.delete(file)
        enqueue("accounts.remove_bytes", path=file.path)


def remove_bytes(path: str) -> None:
    """Remove bytes from the file store that no stored file has any more."""
    used = db.session.scalar(select(exists().where(StoredFile.path == path)))
    if not used:
        file_store().delete(path)
