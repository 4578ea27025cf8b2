"""Answers with statements: single ones, pages, parts (1.0.3, part three, 2.1.3)."""

from __future__ import annotations

import math
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select

from lms.core.db import db
from lms.core.settings import settings
from lms.xapi import queries
from lms.xapi.api.parameters import (
    agent_parameter,
    instant_parameter,
    iri_parameter,
    parameters,
    uuid_parameter,
)
from lms.xapi.api.wire import PATH, json_answer, request_key
from lms.xapi.collections import REGISTRATION
from lms.xapi.errors import BadParameter
from lms.xapi.json_text import dumps
from lms.xapi.lookup import agent_key
from lms.xapi.models import StoredStatement
from lms.xapi.queries import StatementFilter
from lms.xapi.services.access import within_reach
from lms.xapi.services.attachments import kept_parts
from lms.xapi.services.formats import FORMATS, formatted

MOST = 100  # statements a page
_MORE_LIVES = 2 * 24 * 60 * 60  # seconds
_SINGLE = ("statementId", "voidedStatementId", "format", "attachments")
_LIST = (
    "agent", "verb", "activity", "registration", "related_activities", "related_agents", "since",
    "until", "limit", "format", "attachments", "ascending",
)  # fmt: skip


def read() -> Response:
    """The answer to GET on statements. Raises BadParameter."""
    if "cursor" in request.args:
        cursor = _read_cursor(parameters(("cursor",))["cursor"])
        return _page(cursor["q"], cursor["bound"], cursor["after"])
    sent = parameters(tuple(dict.fromkeys((*_SINGLE, *_LIST))))
    if "statementId" in sent or "voidedStatementId" in sent:
        return _single(sent)
    return _page(sent, None, None)


def _single(sent: Mapping[str, str]) -> Response:
    wants_voided = "voidedStatementId" in sent
    name = "voidedStatementId" if wants_voided else "statementId"
    if not sent.keys() <= {name, "format", "attachments"}:
        raise BadParameter(name, "takes only format and attachments beside it")
    wanted, format_ = uuid_parameter(sent, name), _format(sent)
    with_attachments = _flag(sent, "attachments")
    found = select(StoredStatement).where(StoredStatement.statement_id == wanted)
    row = db.session.scalar(within_reach(found, request_key()))
    is_mine = row is not None and request_key().only_mine in (None, row.key_id)
    if row is None or not is_mine or row.is_voided != wants_voided:
        return json_answer({"error": "no such statement", "status": 404}, 404)
    [document] = formatted([row.document], format_, _languages())
    answer = _answer(document, [row.document], with_attachments)
    answer.last_modified = row.stored
    return answer


def _page(sent: Mapping[str, str], bound: int | None, after: int | None) -> Response:
    """A page of what was there up to `bound`, behind the statement `after`."""
    wanted, format_ = _filter(sent), _format(sent)
    with_attachments, limit = _flag(sent, "attachments"), _limit(sent.get("limit", "0"))
    bound = queries.newest_pk() if bound is None else bound
    above, up_to = None, bound
    if after is not None and wanted.ascending:
        above = after
    elif after is not None:
        up_to = min(bound, after - 1)
    found = queries.list_statements(wanted.between(above, up_to))
    found = within_reach(found, request_key())
    columns = found.with_only_columns(StoredStatement.id, StoredStatement.document)
    rows = db.session.execute(columns.limit(limit + 1)).all()
    more = ""
    if len(rows) > limit:
        rows = rows[:limit]
        token = _serializer().dumps({"q": dict(sent), "bound": bound, "after": rows[-1].id})
        more = f"{request.script_root}{PATH}/statements?cursor={token}"
    documents = [row.document for row in rows]
    statements = ",".join(formatted(documents, format_, _languages()))
    body = f'{{"statements":[{statements}],"more":{dumps(more)}}}'
    return _answer(body, documents, with_attachments)


def _answer(body: str, documents: Sequence[str], with_attachments: bool) -> Response:
    """JSON; with attachments, parts: the JSON first, then each attachment once (1.5.2)."""
    if not with_attachments:
        return Response(body, content_type="application/json; charset=utf-8")
    boundary = secrets.token_hex(24)
    pieces = [
        f"--{boundary}\r\nContent-Type: application/json; charset=utf-8\r\n\r\n".encode(),
        body.encode(),
    ]
    for sha2, content_type, content in kept_parts(documents):
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n"
            f"Content-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {sha2}\r\n\r\n"
        )
        pieces += [head.encode(), content]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    return Response(b"".join(pieces), content_type=f"multipart/mixed; boundary={boundary}")


def _filter(sent: Mapping[str, str]) -> StatementFilter:
    """The filter of the query parameters, within the reach of the key. Raises BadParameter."""
    agent, key = agent_parameter(sent, "agent"), request_key()
    registration = uuid_parameter(sent, "registration")
    if registration is None:
        registration = _reachable_registration()
    return StatementFilter(
        agent=agent_key(agent) if agent is not None else None,
        verb=iri_parameter(sent, "verb"),
        activity=iri_parameter(sent, "activity"),
        registration=registration,
        related_agents=_flag(sent, "related_agents"),
        related_activities=_flag(sent, "related_activities"),
        since=instant_parameter(sent, "since"),
        until=instant_parameter(sent, "until"),
        ascending=_flag(sent, "ascending"),
        key_id=key.only_mine,
    )


def _reachable_registration() -> uuid.UUID | None:
    """The only registration that the key reaches, if that is its limit: an index leads there."""
    key = request_key()
    if key.launch is not None:
        return key.launch.registration
    if key.limit is not None and key.limit.kind == REGISTRATION:
        return key.limit.value
    return None


def _format(sent: Mapping[str, str]) -> str:
    wanted = sent.get("format", "exact")
    if wanted not in FORMATS:
        raise BadParameter("format", f"must be one of {', '.join(FORMATS)}")
    return wanted


def _languages() -> Sequence[str]:
    """The languages that the client wants, the best first."""
    return [str(language) for language in request.accept_languages.values()]


def _flag(sent: Mapping[str, str], name: str) -> bool:
    value = sent.get(name, "false")
    if value not in ("true", "false"):
        raise BadParameter(name, "must be true or false")
    return value == "true"


def _limit(value: str) -> int:
    if not (value.isascii() and value.isdecimal()):
        raise BadParameter("limit", "must be a whole number")
    wanted = int(value) if len(value) < 10 else math.inf
    return int(min(wanted or MOST, MOST))


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret(), salt="xapi-more")


def _read_cursor(token: str) -> dict[str, Any]:
    try:
        cursor: dict[str, Any] = _serializer().loads(token, max_age=_MORE_LIVES)
    except BadSignature:  # also one that is too old
        raise BadParameter("cursor", "was not made here, or is older than two days") from None
    return cursor
