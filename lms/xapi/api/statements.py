"""The resource `statements` (xAPI 1.0.3, part three, 2.1)."""

from __future__ import annotations

import math
import uuid
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from flask import Response, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from lms.core.db import db
from lms.core.settings import settings
from lms.xapi import queries
from lms.xapi.api.wire import bp, json_answer, json_body, request_authority, request_key, with_key
from lms.xapi.errors import BadParameter, StatementRefused
from lms.xapi.models import KeyScope, StoredStatement
from lms.xapi.queries import StatementFilter
from lms.xapi.services.access import check_reach, within_reach
from lms.xapi.services.receive import receive
from lms.xapi.services.store import agent_key
from lms.xapi.validation import check_actor, check_instant, check_iri, check_uuid, read_instant

MOST = 100  # statements a page
_PARAMETERS = {
    "statementId", "voidedStatementId", "agent", "verb", "activity", "registration", "since",
    "until", "limit", "format", "attachments", "ascending", "related_agents",
    "related_activities", "cursor",
}  # fmt: skip


def _receive(statements: list[Any]) -> list[uuid.UUID]:
    """Store statements in the name of the request's key."""
    return receive(
        statements,
        authority=request_authority(),
        key_id=request_key().id,
        may_void_all=request_key().may_void_all,
        check_reach=partial(check_reach, request_key()),
    )


@bp.post("/statements")
@with_key(KeyScope.WRITE)
def post_statements() -> ResponseReturnValue:
    """Store one statement or a batch; answers with the ids."""
    if request.args:
        raise BadParameter(next(iter(request.args)), "is not known here")
    body = json_body()
    statements = body if isinstance(body, list) else [body]
    ids = _receive(statements)
    return json_answer([str(i) for i in ids])


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
    statement = json_body()
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
    found = within_reach(found, request_key())
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
    found = select(StoredStatement).where(StoredStatement.statement_id == uuid.UUID(args[name]))
    row = db.session.scalar(within_reach(found, request_key()))
    is_mine = row is not None and request_key().only_mine in (None, row.key_id)
    if row is None or not is_mine or row.is_voided != wants_voided:
        return json_answer({"error": "no such statement"}, 404)
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
        key_id=request_key().only_mine,
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
