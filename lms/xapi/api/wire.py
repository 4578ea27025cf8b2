"""What every resource of the endpoint shares: headers, errors, keys, and reading JSON bodies."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import orjson
from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from lms.core import clock
from lms.core.db import db
from lms.core.errors import DomainError
from lms.core.settings import settings
from lms.core.web import csrf, public
from lms.xapi.errors import BadParameter, StatementRefused
from lms.xapi.models import KeyScope, XapiKey
from lms.xapi.services.keys import find_key

VERSION = "1.0.3"
_DEEPEST = 100

bp = Blueprint("xapi", __name__, url_prefix="/xapi")
csrf.exempt(bp)

View = TypeVar("View", bound=Callable[..., Any])


@bp.after_request
def _headers(response: Response) -> Response:
    headers = response.headers
    headers["X-Experience-API-Version"] = VERSION
    headers["X-Experience-API-Consistent-Through"] = clock.now().isoformat()
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = (
        "ETag, Last-Modified, X-Experience-API-Version, X-Experience-API-Consistent-Through"
    )
    headers["Cache-Control"] = "private, no-store"
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "GET, HEAD, PUT, POST, OPTIONS"
        headers["Access-Control-Allow-Headers"] = (
            "Authorization, Content-Type, If-Match, If-None-Match, X-Experience-API-Version,"
            " Accept-Language, X-Experience-API-Hash"
        )
    return response


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> ResponseReturnValue:
    db.session.rollback()
    return json_answer({"error": str(error.text)}, error.status)


def json_answer(value: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(value), status, content_type="application/json; charset=utf-8")


class Unauthorised(DomainError):
    """No key, or a wrong one."""

    status = 401
    message = "send a valid key and secret with HTTP Basic"


class NotAllowed(DomainError):
    """The key may not do this."""

    status = 403
    message = "this key may not do this"


def with_key(*scopes: KeyScope) -> Callable[[View], View]:
    """Open the view to requests with a key of one of these scopes and a version header."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            sent = request.authorization
            key = None
            if sent is not None and sent.type == "basic":
                key = find_key(sent.username or "", sent.password or "")
            if key is None:
                answer = json_answer({"error": str(Unauthorised.message)}, 401)
                answer.headers["WWW-Authenticate"] = 'Basic realm="xAPI"'
                return answer
            if key.scope != KeyScope.ALL and key.scope not in scopes:
                raise NotAllowed
            version = request.headers.get("X-Experience-API-Version", "")
            if not (version == "1.0" or version.startswith("1.0.")):
                raise BadParameter("X-Experience-API-Version", "send 1.0.3")
            g.xapi_key = key
            return view(*args, **kwargs)

        return public(checked)  # type: ignore[return-value]

    return decorate


def request_key() -> XapiKey:
    """The key of this request."""
    key: XapiKey = g.xapi_key
    return key


def request_authority() -> dict[str, Any]:
    """The agent in whose name the key of this request stores."""
    account = {"homePage": settings().base_url, "name": f"key:{request_key().key}"}
    return {"objectType": "Agent", "name": request_key().name, "account": account}


def _depth_is_fine(body: bytes) -> bool:
    """Whether brackets nest less than `_DEEPEST`, counted without parsing."""
    depth, in_text, escaped = 0, False, False
    for sign in body:
        if in_text:
            if escaped:
                escaped = False
            elif sign == 0x5C:
                escaped = True
            elif sign == 0x22:
                in_text = False
        elif sign == 0x22:
            in_text = True
        elif sign in (0x5B, 0x7B):
            depth += 1
            if depth > _DEEPEST:
                return False
        elif sign in (0x5D, 0x7D):
            depth -= 1
    return True


def json_body() -> Any:
    """The body of this request, read as JSON. Raises StatementRefused."""
    if request.mimetype != "application/json":
        raise StatementRefused("body", "must have the content type application/json")
    body = request.get_data()
    if not _depth_is_fine(body):
        raise StatementRefused("body", f"nests deeper than {_DEEPEST} levels")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise StatementRefused("body", f"is not JSON: {error}") from None
