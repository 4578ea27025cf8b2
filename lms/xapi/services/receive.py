"""Statements that other tools send: checked, compared with what is there, stored all or none."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from lms.xapi import queries
from lms.xapi.errors import StatementConflict, StatementRefused, VoidingRefused
from lms.xapi.services.store import VOIDED, store_statements
from lms.xapi.validation import check_statement

_NOT_COMPARED = {"stored", "authority", "version", "timestamp", "id", "attachments"}


def _as_array(statement: Mapping[str, Any]) -> None:
    """Context activities are kept and given back as arrays (1.0.3, 2.4.6.2)."""
    for part in (statement, statement["object"]):
        groups = part.get("context", {}).get("contextActivities", {}) if part else {}
        for name, value in groups.items():
            if isinstance(value, Mapping):
                groups[name] = [value]


def is_same(sent: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Whether two statements with one id say the same (1.0.3, 2.3.2)."""
    names = (set(sent) | set(kept)) - _NOT_COMPARED
    return all(sent.get(name) == kept.get(name) for name in names)


def _check_voids(statements: Sequence[Mapping[str, Any]], key_id: int | None) -> None:
    """Raise VoidingRefused for a voiding statement about another key's statement."""
    wanted = [uuid.UUID(s["object"]["id"]) for s in statements if s["verb"]["id"] == VOIDED]
    for statement_id, row in queries.find_statements(wanted).items():
        if row.key_id is None or row.key_id != key_id:
            raise VoidingRefused(str(statement_id))


def receive(
    statements: Sequence[Any],
    *,
    authority: dict[str, Any],
    key_id: int | None,
    may_void_all: bool = False,
    check_reach: Callable[[Sequence[Any]], None] | None = None,
) -> list[uuid.UUID]:
    """Store what is new; returns all ids in the order sent.

    may_void_all: whether voiding statements may be about what others stored. check_reach: called
    with the valid statements before they are stored; raises when one lies outside.

    Raises StatementRefused for the first bad statement, StatementConflict when an id is in the
    store with another content, VoidingRefused for what another key stored. Nothing is stored then.
    """
    for index, statement in enumerate(statements):
        check_statement(statement, index)
        _as_array(statement)
    if check_reach is not None:
        check_reach(statements)
    if not may_void_all:
        _check_voids(statements, key_id)
    given = [uuid.UUID(s["id"]) for s in statements if "id" in s]
    if len(set(given)) != len(given):
        raise StatementRefused("statement.id", "stands twice in one request")
    known = queries.find_statements(given)
    fresh: list[dict[str, Any]] = []
    ids: list[uuid.UUID] = []
    for statement in statements:
        statement_id = uuid.UUID(statement["id"]) if "id" in statement else uuid.uuid4()
        ids.append(statement_id)
        if statement_id not in known:
            fresh.append({**statement, "id": str(statement_id)})
        elif not is_same(statement, orjson.loads(known[statement_id].document)):
            raise StatementConflict(str(statement_id))
    if fresh:
        store_statements(fresh, authority=authority, key_id=key_id)
    return ids
