"""The endpoint for other tools: xAPI 1.0.3, part three; statements and about."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

import orjson
from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import MultiDict

from lms.core import clock
from lms.core.db import db
from lms.core.errors import DomainError
from lms.core.settings import settings
from lms.core.web import csrf, public
from lms.xapi import queries
from lms.xapi.errors import BadParameter, StatementRefused
from lms.xapi.models import KeyScope, StoredStatement, XapiKey
from lms.xapi.queries import StatementFilter
from lms.xapi.services.keys import find_key
from lms.xapi.services.receive import receive
from lms.xapi.services.store import agent_key
from lms.xapi.validation import check_actor, check_instant, check_iri, check_uuid, read_instant

VERSION = "1.0.3"
MOST = 100  # statements a page
_DEEPEST = 100
_PARAMETERS = {
    "statementId", "voidedStatementId", "agent", "verb", "activity", "registration", "since",
    "until", "limit", "format", "attachments", "ascending", "related_agents",
    "related_activities", "cursor",
}  # fmt: skip

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
    return _json({"error": str(error.text)}, error.status)


def _json(value: Any, status: int = 200) -> Response:
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
                answer = _json({"error": str(Unauthorised.message)}, 401)
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


def _key() -> XapiKey:
    key: XapiKey = g.xapi_key
    return key


def _authority() -> dict[str, Any]:
    account = {"homePage": settings().base_url, "name": f"key:{_key().key}"}
    return {"objectType": "Agent", "name": _key().name, "account": account}


def _receive(statements: list[Any]) -> list[uuid.UUID]:
    """Store statements in the name of the request's key."""
    return receive(
        statements,
        authority=_authority(),
        key_id=_key().id,
        may_void_all=_key().scope == KeyScope.ALL,
    )


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


def _body() -> Any:
    if request.mimetype != "application/json":
        raise StatementRefused("body", "must have the content type application/json")
    body = request.get_data()
    if not _depth_is_fine(body):
        raise StatementRefused("body", f"nests deeper than {_DEEPEST} levels")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise StatementRefused("body", f"is not JSON: {error}") from None


@bp.get("/about")
@public
def about() -> ResponseReturnValue:
    """Versions spoken here."""
    return _json({"version": [VERSION], "extensions": {}})


@bp.post("/statements")
@with_key(KeyScope.WRITE)
def post_statements() -> ResponseReturnValue:
    """Store one statement or a batch; answers with the ids."""
    if request.args:
        raise BadParameter(next(iter(request.args)), "is not known here")
    body = _body()
    statements = body if isinstance(body, list) else [body]
    ids = _receive(statements)
    return _json([str(i) for i in ids])


@bp.put("/statements")
@with_key(KeyScope.WRITE)
def put_statement() -> ResponseReturnValue:
    """Store one statement under the id in the address."""
    if set(request.args) != {"statementId"}:
        raise BadParameter("statementId", "is needed, and no other")
    wanted = request.args["statementId"]
    try:
        check_uuid(wanted, "statementId")
    except StatementRefused as refusal:
        raise BadParameter("statementId", refusal.rule) from None
    statement = _body()
    if not isinstance(statement, dict):
        raise StatementRefused("body", "must be one statement")
    if str(statement.get("id", wanted)).lower() != wanted.lower():
        raise BadParameter("statementId", "is not the id of the statement")
    _receive([{**statement, "id": wanted}])
    return Response(status=204)


@bp.get("/statements")
@with_key(KeyScope.READ, KeyScope.READ_MINE)
def get_statements() -> ResponseReturnValue:
    """One statement by its id, or a page of those that fit."""
    args = request.args
    unknown = set(args) - _PARAMETERS
    if unknown:
        raise BadParameter(sorted(unknown)[0], "is not known")
    if "statementId" in args or "voidedStatementId" in args:
        return _single(args)
    cursor = _read_cursor(args["cursor"]) if "cursor" in args else None
    parameters = MultiDict(cursor["q"]) if cursor else args
    wanted = _filter(parameters)
    limit = _limit(parameters.get("limit", "0"))
    bound = cursor["bound"] if cursor else queries.newest_pk()
    found = queries.list_statements(wanted).where(StoredStatement.id <= bound)
    if cursor:
        after = StoredStatement.id > cursor["after"]
        found = found.where(after if wanted.ascending else StoredStatement.id < cursor["after"])
    rows = db.session.scalars(found.limit(limit + 1)).all()
    more = ""
    if len(rows) > limit:
        rows = rows[:limit]
        token = _serializer().dumps({"q": dict(parameters), "bound": bound, "after": rows[-1].id})
        more = f"{request.script_root}/xapi/statements?cursor={token}"
    statements = ",".join(row.document for row in rows)
    body = f'{{"statements":[{statements}],"more":{orjson.dumps(more).decode()}}}'
    return Response(body, content_type="application/json; charset=utf-8")


def _single(args: MultiDict[str, str]) -> Response:
    wants_voided = "voidedStatementId" in args
    name = "voidedStatementId" if wants_voided else "statementId"
    if set(args) - {name, "format", "attachments"}:
        raise BadParameter(name, "takes only format and attachments beside it")
    try:
        check_uuid(args[name], name)
    except StatementRefused as refusal:
        raise BadParameter(name, refusal.rule) from None
    row = queries.find_statement(uuid.UUID(args[name]))
    is_mine = row is not None and (_key().scope != KeyScope.READ_MINE or row.key_id == _key().id)
    if row is None or not is_mine or row.is_voided != wants_voided:
        return _json({"error": "no such statement"}, 404)
    answer = Response(row.document, content_type="application/json; charset=utf-8")
    answer.last_modified = row.stored
    return answer


def _filter(args: MultiDict[str, str]) -> StatementFilter:
    """The filter of the query parameters. Raises BadParameter."""
    agent = None
    try:
        if "agent" in args:
            try:
                value = orjson.loads(args["agent"])
            except orjson.JSONDecodeError:
                raise BadParameter("agent", "must be JSON") from None
            check_actor(value, "agent")
            agent = agent_key(value)
            if agent is None:
                raise BadParameter("agent", "must have an identifier")
        for name in ("verb", "activity"):
            if name in args:
                check_iri(args[name], name)
        if "registration" in args:
            check_uuid(args["registration"], "registration")
        instants = {n: _instant(args[n], n) for n in ("since", "until") if n in args}
    except StatementRefused as refusal:
        raise BadParameter(refusal.path, refusal.rule) from None
    if args.get("format", "exact") not in ("exact", "ids", "canonical"):
        raise BadParameter("format", "must be exact, ids or canonical")
    return StatementFilter(
        agent=agent,
        verb=args.get("verb"),
        activity=args.get("activity"),
        registration=uuid.UUID(args["registration"]) if "registration" in args else None,
        related_agents=_flag(args, "related_agents"),
        related_activities=_flag(args, "related_activities"),
        since=instants.get("since"),
        until=instants.get("until"),
        ascending=_flag(args, "ascending"),
        key_id=_key().id if _key().scope == KeyScope.READ_MINE else None,
    )


def _instant(value: str, name: str) -> datetime:
    value = value.replace(" ", "+")  # a plus sign that was not percent-encoded
    check_instant(value, name)
    return read_instant(value)


def _flag(args: MultiDict[str, str], name: str) -> bool:
    value = args.get(name, "false")
    if value not in ("true", "false"):
        raise BadParameter(name, "must be true or false")
    return value == "true"


def _limit(value: str) -> int:
    if not value.isdecimal():
        raise BadParameter("limit", "must be a whole number")
    wanted = int(value) if len(value) < 10 else math.inf
    return int(min(wanted or MOST, MOST))


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret(), salt="xapi-more")


def _read_cursor(token: str) -> dict[str, Any]:
    try:
        cursor: dict[str, Any] = _serializer().loads(token)
    except BadSignature:
        raise BadParameter("cursor", "was not made here") from None
    return cursor
