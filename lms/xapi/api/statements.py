"""The resource `statements` (xAPI 1.0.3, part three, 2.1)."""

from __future__ import annotations

import uuid

from flask import Response, g
from flask.typing import ResponseReturnValue

from lms.core.db import transaction
from lms.core.together import in_one_turn
from lms.core.web import own_transaction
from lms.xapi.api.bodies import read_statements
from lms.xapi.api.parameters import parameters, uuid_parameter
from lms.xapi.api.reading import read
from lms.xapi.api.wire import bp, json_answer, request_authority, request_key, with_key
from lms.xapi.errors import BadParameter, StatementRefused
from lms.xapi.models import KeyScope
from lms.xapi.services.access import check_reach
from lms.xapi.services.receive import Sender, check, keep, prepare

MOST_AT_ONCE = 10_000  # statements in one request
MOST_TOGETHER = 20  # statements of a request that shares its transaction with others


def _receive(put_id: uuid.UUID | None = None) -> list[uuid.UUID]:
    """Check and store what the request's body holds, in the name of its key.

    All that needs no database is done before the transaction begins.
    """
    body = read_statements()
    if put_id is not None:
        _check_single(body.is_list, body.entries[0].value if body.entries else None, put_id)
    if len(body.entries) > MOST_AT_ONCE:
        raise StatementRefused("body", f"may hold {MOST_AT_ONCE} statements at most")
    checked = check(body.entries, g.xapi_version, put_id)
    body.check_attachments()
    key = request_key()
    sender = Sender(request_authority(), key.id, key.may_void_all, g.xapi_version)
    ready = prepare(checked, sender)

    def store() -> list[uuid.UUID]:
        check_reach(key, [entry.value for entry in body.entries])
        return keep(checked, ready, sender, body.attachments)

    if len(ready) <= MOST_TOGETHER and not body.attachments:
        return in_one_turn(store)
    with transaction():
        return store()


def _check_single(is_list: bool, statement: object, put_id: uuid.UUID) -> None:
    if is_list or not isinstance(statement, dict):
        raise StatementRefused("body", "must be one statement")
    if str(statement.get("id", put_id)).lower() != str(put_id):
        raise BadParameter("statementId", "is not the id of the statement")


@bp.post("/statements")
@own_transaction
@with_key(KeyScope.WRITE)
def post_statements() -> ResponseReturnValue:
    """Store one statement or a batch; answers with the ids."""
    parameters(())
    return json_answer([str(statement_id) for statement_id in _receive()])


@bp.put("/statements")
@own_transaction
@with_key(KeyScope.WRITE)
def put_statement() -> ResponseReturnValue:
    """Store one statement under the id in the address."""
    sent = parameters(("statementId",), needed=("statementId",))
    _receive(uuid_parameter(sent, "statementId"))
    return Response(status=204)


@bp.get("/statements")
@with_key(KeyScope.READ, KeyScope.READ_MINE)
def get_statements() -> ResponseReturnValue:
    """One statement by its id, or a page of those that fit."""
    return read()
