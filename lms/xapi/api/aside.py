"""Small writes beside a request: whoever asked does not wait for them, nor does its thread.

One thread in each process does them in turn. What is still waiting when the process ends is lost,
and so is what comes while too much waits: only what may be lost belongs here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Full, Queue
from typing import TypeAlias

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from lms.core.db import transaction

Work: TypeAlias = Callable[[], object]

_MOST_WAITING = 1000
_waiting: Queue[tuple[Flask, Work]] = Queue(_MOST_WAITING)
_start = threading.Lock()
_thread: threading.Thread | None = None


def write_aside(work: Work) -> None:
    """Do `work` soon, in a writing transaction of its own. In tests it is done at once.

    To be called after the transaction of the request has ended.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if app.testing:
        _write(work)
        return
    _ensure_thread()
    with suppress(Full):
        _waiting.put_nowait((app, work))


def _ensure_thread() -> None:
    global _thread
    with _start:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_work_on, name="xapi-aside", daemon=True)
            _thread.start()


def _work_on() -> None:
    while True:
        app, work = _waiting.get()
        with app.app_context():
            _write(work)


def _write(work: Work) -> None:
    with suppress(OperationalError), transaction():  # a busy database: lost
        work()
