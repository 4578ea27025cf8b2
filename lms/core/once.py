"""A form does its deed once, however often the same page sends it.

Each page carries a word in its forms. The first answer that leads on to another page is kept with
the change itself, under the word, the visitor and all that was sent; a second click finds it and
is led to the same place. On PostgreSQL it waits there for the first one's end; on SQLite writers
stand in line anyway. Works in all processes and without script. A refused form leaves no trace.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from flask import Response, current_app, g, redirect, request, session
from flask.json.tag import TaggedJSONSerializer
from flask.typing import ResponseReturnValue
from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy import text as sql

from lms.core import clock
from lms.core.db import UtcDateTime, db, transaction
from lms.core.errors import SentTwice
from lms.core.models import SentForm
from lms.core.sealing import seal, unseal

FIELD: Final = "once"
REMEMBERED: Final = timedelta(minutes=10)
PATIENCE: Final = timedelta(seconds=20)  # of a second click, while the first is worked on
ABANDONED: Final = timedelta(minutes=1)  # after this the first one's process has died
# where Flask-Login, Flask and Flask-WTF keep these in the session
_SIGNED_IN, _FLASHES, _TOKEN = "_user_id", "_flashes", "csrf_token"
_SESSION: Final = TaggedJSONSerializer()
_PURPOSE: Final = "sent form"
_TAKE = sql(
    "INSERT INTO sent_forms (key, sent_at) VALUES (:key, :now) ON CONFLICT (key) DO NOTHING"
).bindparams(bindparam("now", type_=UtcDateTime()))


def page_word() -> str:
    """The word that the forms of the present page carry."""
    if FIELD not in g:
        setattr(g, FIELD, secrets.token_urlsafe(9))
    return str(getattr(g, FIELD))


def leads_on(address: str, text: str) -> None:
    """Where a second click leads, and what it is told, when the first one's answer is no way on.

    For pages that show something once, such as a secret.
    """
    g.leads_on = {"location": address, "status": 303, "flashes": [["info", text]]}


def form_key() -> str | None:
    """What tells the sent form from all others; None for what scripts send: they mind it."""
    if not request.form.get(FIELD) or "HX-Request" in request.headers:
        return None
    sum_ = hashlib.sha256()

    def add(*parts: object) -> None:
        for part in parts:
            sum_.update(str(part).encode("utf-8", "replace") + b"\0")

    add(request.full_path, session.get(_SIGNED_IN), session.get(_TOKEN))
    for name, value in request.form.items(multi=True):
        add(name, value)
    for name, file in request.files.items(multi=True):
        add(name, file.filename)
        for piece in iter(lambda stream=file.stream: stream.read(1 << 20), b""):  # type: ignore[misc]
            sum_.update(piece)
        file.stream.seek(0)
    return sum_.hexdigest()


def do_once(key: str, deed: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """What `deed` answers; when this very form was sent before, what it answered then.

    Stands within the deed's transaction, which takes back the note when the deed raises.
    """
    if not _take(key):
        answer = _earlier_answer(key)
        if answer is not None:
            return _again(answer)
    state = _session_state()
    response = current_app.make_response(deed())
    _settle(key, response, state)
    return response


def do_once_apart(key: str, deed: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """The same around a deed with transactions of its own; a second click waits for the first.

    Raises SentTwice when the first takes longer than a visitor waits.
    """
    until = clock.now() + PATIENCE
    while True:
        with transaction():
            is_first, answer = _take(key), _earlier_answer(key)
        if answer is not None:
            return _again(answer)
        if is_first:
            break
        if clock.now() > until:
            raise SentTwice
        time.sleep(0.2)
    state = _session_state()
    response = None
    try:
        response = current_app.make_response(deed())
    finally:
        with transaction():
            _settle(key, response, state)
    return response


def _take(key: str) -> bool:
    """Note that the form came; False when it came before, and neither failed nor is long ago."""
    now = clock.now()
    db.session.execute(
        delete(SentForm).where(
            SentForm.key == key,
            or_(
                SentForm.sent_at < now - REMEMBERED,
                SentForm.answer.is_(None) & (SentForm.sent_at < now - ABANDONED),
            ),
        )
    )
    return bool(db.session.execute(_TAKE, {"key": key, "now": now}).rowcount)  # type: ignore[attr-defined]


def _earlier_answer(key: str) -> dict[str, Any] | None:
    return db.session.scalar(select(SentForm.answer).where(SentForm.key == key))


def _session_state() -> dict[str, Any]:
    """What the cookie says, but for what each page says anew."""
    return {name: value for name, value in session.items() if name not in (_FLASHES, _TOKEN)}


def _settle(key: str, response: Response | None, state: dict[str, Any]) -> None:
    """Keep where the answer leads; not that of a form that was refused or only showed something.

    Where the deed changed the cookie, as signing in does, the second click needs it, too.
    """
    mine = SentForm.key == key
    answer = _answer(response) if response is not None else None
    if answer is None:
        db.session.execute(delete(SentForm).where(mine))
        return
    if _session_state() != state:
        answer["session"] = seal(_SESSION.dumps(dict(session)), _PURPOSE)
    db.session.execute(update(SentForm).where(mine).values(answer=answer))


def _answer(response: Response) -> dict[str, Any] | None:
    if not response.location:
        shown_once: dict[str, Any] | None = g.get("leads_on")
        return shown_once
    flashes = [[kind, str(text)] for kind, text in session.get(_FLASHES, ())]
    return {"location": response.location, "status": response.status_code, "flashes": flashes}


def _again(answer: dict[str, Any]) -> ResponseReturnValue:
    if "session" in answer:
        session.clear()
        session.update(_SESSION.loads(unseal(answer["session"], _PURPOSE)))
    if answer["flashes"]:
        session[_FLASHES] = [tuple(flash) for flash in answer["flashes"]]
    return redirect(answer["location"], answer["status"])


def forget_sent_forms() -> None:
    """Forget what was sent a while ago; its deeds stay done."""
    db.session.execute(delete(SentForm).where(SentForm.sent_at < clock.now() - REMEMBERED))
