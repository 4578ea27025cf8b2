"""Keeps refused requests, beside them and after their own transaction was rolled back."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from lms.xapi.api.aside import write_aside
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
    answer = response.get_json(silent=True)
    facts = {
        "method": request.method,
        "address": request.full_path.removesuffix("?"),
        "status": response.status_code,
        "answer": answer if isinstance(answer, dict) else {},
        "size": request.content_length or 0,
        "body": _beginning(),
    }
    named = sent.username if access is None and sent is not None else None
    write_aside(partial(_keep, access.id if access else None, named, facts))
    return response


def _keep(key_id: int | None, named: str | None, facts: dict[str, Any]) -> None:
    """Keep it with the key that was right, or the one that was named with a wrong secret."""
    if key_id is None and named:
        key_id = key_named(named)
    keep_refused(key_id=key_id, **facts)


def _beginning() -> bytes:
    """The first bytes of the body, as far as it was read or can be."""
    if "_cached_data" in request.__dict__:
        return request.get_data()[:BODY_KEPT]
    with suppress(HTTPException, OSError):
        return request.stream.read(BODY_KEPT)
    return b""
