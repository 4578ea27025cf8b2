"""Through which instant the store can be read without missing anything (1.0.3, part three, 2.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from lms.core import clock
from lms.core.db import db, someone_writes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# what a writer needs from reading the clock until others can see that it writes, and what the
# clocks of several servers may differ by
_MARGIN = timedelta(seconds=1)
_ON_SQLITE = text("SELECT last_stored FROM xapi_store_order WHERE id = 1")
# the row carries the number of the transaction that changes it (xmax), also of one that failed
_ON_POSTGRESQL = text(
    "SELECT last_stored, xmax::text <> '0' AND EXISTS"
    " (SELECT 1 FROM pg_stat_activity WHERE backend_xid = xapi_store_order.xmax)"
    " FROM xapi_store_order WHERE id = 1"
)


def complete_through() -> datetime:
    """All statements stored at or before this instant are visible now, and none will be added.

    While nobody writes that is nearly now; while somebody does, the instant of the newest statement
    that is visible, since the order of commit is that of `stored`. To be asked before the
    statements are read: what is committed in between is then only missing from what was promised.
    """
    now = clock.now()
    if db.session.get_bind().dialect.name == "postgresql":
        row = db.session.execute(_ON_POSTGRESQL).one_or_none()
        last_stored, is_written = row if row is not None else (0, False)
    else:
        is_written = someone_writes()
        last_stored = db.session.scalar(_ON_SQLITE) or 0
    newest = _EPOCH + timedelta(microseconds=last_stored)
    return newest if is_written else max(newest, now - _MARGIN)
