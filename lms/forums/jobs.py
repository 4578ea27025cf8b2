"""Work of the forums after commit: telling followers, removing files."""

from __future__ import annotations

from sqlalchemy import exists, func, select

from lms.core.db import db
from lms.core.files import file_store
from lms.core.models import StoredFile
from lms.core.outbox import Job
from lms.forums.models import PostAttachment
from lms.forums.services import notices


def remove_file(file_id: int) -> None:
    """Remove a file that no post has any more, and its bytes when no other file has the same."""
    file = db.session.get(StoredFile, file_id)
    in_use = db.session.scalar(select(exists().where(PostAttachment.file_id == file_id)))
    if file is None or in_use:
        return
    path = file.path
    db.session.delete(file)
    db.session.flush()
    others = db.session.scalar(
        select(func.count()).select_from(StoredFile).where(StoredFile.path == path)
    )
    if not others:
        file_store().delete(path)


JOBS = [
    Job("forums.tell", notices.tell_followers),
    Job("forums.tell_some", notices.tell_some),
    Job("forums.remove_file", remove_file),
]
