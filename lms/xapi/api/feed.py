"""What was stored, in the order of storing, one statement on each line: for analytics.

Beside the resources of xAPI: `statements` gives a hundred at a time within an envelope, and leaves
out what was voided. Here nothing is left out, so that what a reader has does not depend on when it
asked: a voided statement comes, and later the one that voids it.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lms.core.db import db
from lms.xapi.api.parameters import instant_parameter, parameters
from lms.xapi.api.wire import PATH, bp, request_key, with_key
from lms.xapi.errors import BadParameter
from lms.xapi.models import KeyScope, StoredStatement
from lms.xapi.services.access import within_reach

MOST = 1000  # statements in one answer


@bp.get("/feed")
@with_key(KeyScope.READ, KeyScope.READ_MINE)
def read_feed() -> ResponseReturnValue:
    """JSON Lines of the statements stored after `since`; a link to the next ones if there are."""
    sent = parameters(("since", "limit"))
    since, limit = instant_parameter(sent, "since"), _limit(sent.get("limit", ""))
    key = request_key()
    found = select(StoredStatement.stored, StoredStatement.document)
    if since is not None:
        found = found.where(StoredStatement.stored > since)
    if key.only_mine is not None:
        found = found.where(StoredStatement.key_id == key.only_mine)
    rows = db.session.execute(
        within_reach(found, key).order_by(StoredStatement.stored).limit(limit + 1)
    ).all()
    has_more = len(rows) > limit
    rows = rows[:limit]
    answer = Response(
        "".join(f"{document}\n" for _stored, document in rows),
        content_type="application/x-ndjson; charset=utf-8",
    )
    if has_more:
        query = urlencode({"since": rows[-1].stored.isoformat(), "limit": limit})
        answer.headers["Link"] = f'<{request.script_root}{PATH}/feed?{query}>; rel="next"'
    return answer


def _limit(value: str) -> int:
    if not value:
        return MOST
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise BadParameter("limit", "must be a whole number")
    return min(int(value) or MOST, MOST)
