"""Requests that the endpoint refused: kept with the reason, bounded in number and in time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from lms.core import clock
from lms.core.db import db
from lms.core.settings import settings
from lms.xapi.models import RefusedRequest, XapiKey

BODY_KEPT = 4096  # bytes
_ADDRESS_KEPT = 1000  # characters
_RULE_KEPT = 1000
MOST_A_MINUTE = 10  # for one key, in each process
MOST_OF_A_KEY = 1000  # rows; what is older goes at the next purge
_SECRET = re.compile(r'(?i)(authorization|secret|password|auth-token)("?\s*[=:]\s*"?)[^&"\n]+')


class Quota:
    """How many refusals of each key are still kept in this minute."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._minute = -1
        self._counts: dict[int | None, int] = {}

    def take(self, key_id: int | None) -> bool:
        """Whether one more may be kept."""
        minute = int(self._timer() // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        self._counts[key_id] = self._counts.get(key_id, 0) + 1
        return self._counts[key_id] <= MOST_A_MINUTE


quota = Quota()


def _without_secrets(text: str) -> str:
    """The text without NUL, which PostgreSQL does not keep, and without what looks secret."""
    return _SECRET.sub(r"\1\2…", text.replace("\0", "\ufffd"))


def keep_refused(
    *,
    key_id: int | None,
    method: str,
    address: str,
    status: int,
    answer: Mapping[str, Any],
    size: int,
    body: bytes,
) -> None:
    """Keep a refused request. answer: its JSON, with "error", and "index", "path", "rule" if any.

    Only the beginning of `body` is kept. Without a key that was right, the key that was named is
    noted by the caller.
    """
    index, path = answer.get("index"), answer.get("path") or answer.get("parameter")
    rule = str(answer.get("rule") or answer.get("error") or "")
    db.session.add(
        RefusedRequest(
            key_id=key_id,
            method=method,
            address=_without_secrets(address)[:_ADDRESS_KEPT],
            status=status,
            statement_index=index if isinstance(index, int) else None,
            path=str(path)[:_ADDRESS_KEPT] if path else None,
            rule=_without_secrets(rule)[:_RULE_KEPT],
            size=size,
            body=_without_secrets(body[:BODY_KEPT].decode(errors="replace")),
        )
    )


def key_named(name: str) -> int | None:
    """The id of the key that somebody named, though their secret was wrong or it has ended."""
    return db.session.scalar(select(XapiKey.id).where(XapiKey.key == name))


def remove_old_refused() -> None:
    """Forget what is older than the setting says, and all but the newest of each key."""
    last = clock.now() - timedelta(days=settings().refused_requests_days)
    db.session.execute(delete(RefusedRequest).where(RefusedRequest.at < last))
    for key_id in db.session.scalars(select(RefusedRequest.key_id).distinct()).all():
        of_key = RefusedRequest.key_id.is_(None) if key_id is None else (
            RefusedRequest.key_id == key_id
        )  # fmt: skip
        newest_to_go = db.session.scalar(
            select(RefusedRequest.id)
            .where(of_key)
            .order_by(RefusedRequest.id.desc())
            .offset(MOST_OF_A_KEY)
            .limit(1)
        )
        if newest_to_go is not None:
            db.session.execute(
                delete(RefusedRequest).where(of_key, RefusedRequest.id <= newest_to_go)
            )
