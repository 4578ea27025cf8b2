"""Keeps refused requests, after their own transaction was rolled back."""

from __future__ import annotations

from contextlib import suppress

from flask import Response, g, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from lms.core.db import transaction
from lms.xapi.api.wire import bp
from lms.xapi.services.access import Access
from lms.xapi.services.refused import BODY_KEPT, keep_refused, key_named, quota

_NOT_KEPT = {404, 412, 429}  # everyday answers: nothing there, changed meanwhile, ask later


@bp.after_request
def keep(response: Response) -> Response:
    """Keep what was refused and why, as far as the quota goes."""
    if not 400 <= response.status_code < 500 or response.status_code in _NOT_KEPT:
        return response
    access: Access | None = g.get("xapi_key")
    if not quota.take(access.id if access else None):
        return response
    sent = request.authorization
    named = sent.username if access is None and sent is not None else None
    answer = response.get_json(silent=True)
    with suppress(OperationalError), transaction():  # a busy database: this one is not kept
        keep_refused(
            key_id=access.id if access else key_named(named) if named else None,
            method=request.method,
            address=request.full_path.removesuffix("?"),
            status=response.status_code,
            answer=answer if isinstance(answer, dict) else {},
            size=request.content_length or 0,
            body=_beginning(),
        )
    return response


def _beginning() -> bytes:
    """The first bytes of the body, as far as it was read or can be."""
    if "_cached_data" in request.__dict__:
        return request.get_data()[:BODY_KEPT]
    with suppress(HTTPException, OSError):
        return request.stream.read(BODY_KEPT)
    return b""
