"""When a key was last used: noted after the answer has gone out, at most once a minute."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import partial

from flask import Flask, Response, after_this_request, current_app
from sqlalchemy.exc import OperationalError

from lms.core.db import transaction
from lms.xapi.services.access import Access, due_use, keep_use


def note_use(access: Access) -> None:
    """Keep this use of a key when the last one kept is old; whoever asked does not wait for it."""
    at = due_use(access)
    if at is None or access.id is None:
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    write = partial(_write, app, access.id, at)

    @after_this_request
    def later(response: Response) -> Response:
        response.call_on_close(write)
        return response


def _write(app: Flask, key_id: int, at: datetime) -> None:
    # a busy database: the next use will do
    with app.app_context(), suppress(OperationalError), transaction():
        keep_use(key_id, at)
