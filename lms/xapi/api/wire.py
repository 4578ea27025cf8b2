"""What all resources of the endpoint share: versions, keys, CORS, limits, and how errors are told.

The rules that a request is held to follow the version that it names (`g.xapi_version`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

import orjson
from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from lms.core.errors import DomainError
from lms.core.settings import settings
from lms.core.web import SAFE_METHODS, csrf, public, raw_body
from lms.xapi.api.alternate import MOST_BYTES, REFUSED, AlternateSyntax
from lms.xapi.api.uses import note_use
from lms.xapi.models import KeyScope
from lms.xapi.services.access import Access, find_access
from lms.xapi.services.completeness import complete_through
from lms.xapi.services.documents import Preconditions

log = logging.getLogger("lms.xapi")

PATH = "/xapi"
STATEMENTS = f"{PATH}/statements"
VERSIONS = ("1.0.3", "2.0.0")
BEFORE_1_0 = "0.95"  # what a client is taken for that names no version
MOST_STATEMENT_BYTES = 20 * 1024 * 1024
MOST_DOCUMENT_BYTES = MOST_BYTES
ALLOWED_HEADERS = (
    "Accept, Accept-Language, Authorization, Cache-Control, Content-Type, If-Match,"
    " If-None-Match, X-Experience-API-Hash, X-Experience-API-Version, X-Requested-With"
)
EXPOSED_HEADERS = (
    "ETag, Last-Modified, WWW-Authenticate, X-Experience-API-Consistent-Through,"
    " X-Experience-API-Version"
)
_VERSION = re.compile(r"(1\.0|2\.0)(\.\d{1,9})?")
_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^\s,"]+)')

_promised = datetime(1970, 1, 1, tzinfo=UTC)

bp = Blueprint("xapi", __name__, url_prefix=PATH)
csrf.exempt(bp)

View = TypeVar("View", bound=Callable[..., Any])


class Unauthorised(DomainError):
    """No key, or a wrong one."""

    status = 401
    message = "send a valid key and secret with HTTP Basic"


class NotAllowed(DomainError):
    """The key may not do this."""

    status = 403
    message = "this key may not do this; ask an administrator for one with a wider scope"


class RefusedOnTheWire(DomainError):
    """The request itself cannot be taken, whatever it is about."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status  # type: ignore[misc]
        super().__init__(text)


@bp.record_once
def _undo_alternate_syntax(state: BlueprintSetupState) -> None:
    state.app.wsgi_app = AlternateSyntax(  # type: ignore[attr-defined]
        state.app.wsgi_app,  # type: ignore[attr-defined]
        PATH,
    )


def version_of(header: str) -> str | None:
    """The version whose rules apply to a request with this version header; None when unknown."""
    found = _VERSION.fullmatch(header.strip())
    return f"{found[1]}.{3 if found[1] == '1.0' else 0}" if found else None


@bp.before_request
def _begin() -> ResponseReturnValue | None:
    """Answer preflights, and refuse what cannot be read before anything is read."""
    header = request.headers.get("X-Experience-API-Version", "")
    g.xapi_version = version_of(header)
    if request.method == "OPTIONS":
        methods = ", ".join(sorted(_methods_here()))
        return Response(status=204, headers={"Allow": methods} if methods else {})
    if REFUSED in request.environ:
        raise RefusedOnTheWire(*request.environ[REFUSED])
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RefusedOnTheWire(415, "send the body as it is, without Content-Encoding")
    length = request.content_length
    if length is None:  # in pieces: Werkzeug would cut off what is too much, and say nothing
        request.max_content_length = _most_bytes() + 1
        length = len(request.get_data())
    if length > _most_bytes():
        raise RefusedOnTheWire(413, _too_large())
    return None


def _most_bytes() -> int:
    return MOST_STATEMENT_BYTES if request.path == STATEMENTS else MOST_DOCUMENT_BYTES


def _too_large() -> str:
    return f"the body may have {_most_bytes()} bytes at most; send less at once"


def _version_to_tell() -> str:
    """What the answer's version header says (1.0.3, part three, 3.3)."""
    sent = request.headers.get("X-Experience-API-Version")
    version: str | None = g.get("xapi_version")
    if version is not None:
        return version
    is_open = request.method == "OPTIONS" or request.endpoint == "xapi.about"
    if sent is None and not is_open:
        return BEFORE_1_0
    return VERSIONS[0] if (sent or "").startswith("1") else VERSIONS[-1]


def _through() -> datetime:
    """What reading statements promised; else the latest such promise of this process."""
    global _promised
    promised: datetime = g.get("xapi_through", _promised)
    _promised = max(_promised, promised)
    return promised


@bp.after_request
def _headers(response: Response) -> Response:
    headers = response.headers
    headers["X-Experience-API-Version"] = _version_to_tell()
    headers["X-Experience-API-Consistent-Through"] = _through().isoformat()
    _allow_origin(response)
    headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    headers.setdefault("Cache-Control", "private, no-store")
    # whatever a tool stores and gives a type, no browser runs it as a page of this site
    headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
        headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        headers["Access-Control-Max-Age"] = "7200"
    return response


def _allow_origin(response: Response) -> None:
    """Say whether pages of the asking site may read the answer (Fetch, 3.2)."""
    allowed = settings().xapi_origins
    if "*" in allowed:
        response.headers["Access-Control-Allow-Origin"] = "*"
        return
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = origin


def json_answer(value: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(value), status, content_type="application/json; charset=utf-8")


def refusal(status: int, text: str, **details: Any) -> Response:
    """An error as tools read it: what is wrong and what to do, and where it is."""
    return json_answer({"error": text, "status": status, **details}, status)


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> ResponseReturnValue:
    names = ("index", "path", "rule", "parameter")
    details = {name: getattr(error, name, None) for name in names}
    answer = refusal(
        error.status,
        str(error.text),
        **{name: value for name, value in details.items() if value is not None},
    )
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="xAPI", charset="UTF-8"'
    return answer


@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error
    return refusal(status, _too_large() if status == 413 else str(error.description))


@bp.errorhandler(DataError)
@bp.errorhandler(OverflowError)
def _unstorable(error: Exception) -> ResponseReturnValue:
    return refusal(400, "a value is too large, or has a sign that cannot be stored")


@bp.errorhandler(Exception)
def _bug(error: Exception) -> ResponseReturnValue:
    if current_app.testing or current_app.debug:
        raise error
    log.exception("unexpected error", extra={"endpoint": request.endpoint})
    return refusal(500, "something went wrong here; nothing was stored, so send it again")


def _methods_here() -> set[str]:
    """The methods of the resource that was asked for; empty when there is none."""
    return {
        method
        for rule in current_app.url_map.iter_rules()
        if rule.rule == request.path and rule.endpoint != "xapi.nothing_here"
        for method in rule.methods or ()
    }


@bp.route("/", defaults={"resource": ""}, methods=["GET", "PUT", "POST", "DELETE", "PATCH"])
@bp.route("/<path:resource>", methods=["GET", "PUT", "POST", "DELETE", "PATCH"])
@public
def nothing_here(resource: str) -> ResponseReturnValue:
    """Refuse methods that a resource does not have, and resources that do not exist."""
    methods = ", ".join(sorted(_methods_here()))
    if not methods:
        return refusal(404, f"there is no resource here; those of xAPI begin at {PATH}/about")
    answer = refusal(405, f"this resource takes {methods}")
    answer.headers["Allow"] = methods
    return answer


def with_key(*scopes: KeyScope) -> Callable[[View], View]:
    """Open the view to requests with a key of one of these scopes and a version header."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            sent = request.authorization
            key = None
            if sent is not None and sent.type == "basic":
                key = find_access(sent.username or "", sent.password or "")
            if key is None:
                raise Unauthorised
            note_use(key)
            g.xapi_key = key
            if g.xapi_version is None:
                raise RefusedOnTheWire(
                    400, f"send X-Experience-API-Version with {' or '.join(VERSIONS)}"
                )
            if not key.allows(*scopes):
                raise NotAllowed
            if request.path == STATEMENTS and request.method in SAFE_METHODS:
                g.xapi_through = complete_through()
            return view(*args, **kwargs)

        return raw_body(public(checked))  # type: ignore[return-value]

    return decorate


def request_key() -> Access:
    """What the credentials of this request may do."""
    key: Access = g.xapi_key
    return key


def speaks_2_0() -> bool:
    """Whether the request is held to the rules of 2.0; else to those of 1.0.3."""
    return bool(g.xapi_version == "2.0.0")


def names_1_0_3() -> bool:
    """Whether the client names 1.0.3 or later of 1.0, not one of the patches before it.

    Those did not say that a new profile needs a precondition, and clients of their time send none.
    """
    patch = request.headers.get("X-Experience-API-Version", "").strip().removeprefix("1.0")
    return not speaks_2_0() and patch not in ("", ".0", ".1", ".2")


def preconditions() -> Preconditions:
    """If-Match and If-None-Match of the request."""
    return Preconditions(
        _tags(request.headers.get("If-Match")), _tags(request.headers.get("If-None-Match"))
    )


def _tags(header: str | None) -> frozenset[str] | None:
    """Entity tags of a header, bare.

    Tags here are made of the bytes alone, so one that a proxy or the compression of answers marked
    as weak or gave an ending (`:br`, `-gzip`) still says which bytes the client has seen.
    """
    if header is None:
        return None
    found = (quoted or bare for quoted, bare in _TAG.findall(header))
    return frozenset(re.sub(r"[:-](br|gzip|zstd|deflate)$", "", tag).lower() for tag in found)


def request_authority() -> dict[str, Any]:
    """The agent in whose name the key of this request stores."""
    account = {"homePage": settings().base_url, "name": f"key:{request_key().key}"}
    return {"objectType": "Agent", "name": request_key().name, "account": account}
