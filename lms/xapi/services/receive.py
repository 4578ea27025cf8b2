"""Statements that other tools send: checked, compared with what is there, stored all or none."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lms.xapi.errors import StatementConflict, StatementRefused, VoidingRefused
from lms.xapi.json_text import Sent, sent
from lms.xapi.services.attachments import keep_attachments
from lms.xapi.services.preparing import Ready, make_ready
from lms.xapi.services.rows import rows_in
from lms.xapi.services.sameness import is_same
from lms.xapi.services.store import VOIDED, begin_writing, write_ready
from lms.xapi.validation import check_statement


@dataclass(frozen=True)
class Sender:
    """Who sends statements, and by which rules.

    authority: an xAPI agent. key_id: whose key it is, if it is one. may_void_all: whether voiding
    statements may be about what others stored. version: "1.0.3" or "2.0.0".
    """

    authority: Mapping[str, Any]
    key_id: int | None = None
    may_void_all: bool = False
    version: str = "1.0.3"


@dataclass(frozen=True)
class Checked:
    """Valid statements, with the id of each, and which ids their sender chose."""

    entries: Sequence[Sent]
    ids: Sequence[uuid.UUID]
    given: frozenset[uuid.UUID]


def check(entries: Sequence[Sent], version: str, put_id: uuid.UUID | None = None) -> Checked:
    """Check statements without asking the database. put_id: the id of the only one.

    Raises StatementRefused for the first bad statement.
    """
    ids: list[uuid.UUID] = []
    given: set[uuid.UUID] = set()
    for index, entry in enumerate(entries):
        check_statement(entry.value, index, version)
        chosen = uuid.UUID(entry.value["id"]) if "id" in entry.value else put_id
        if chosen is not None:
            if chosen in given:
                raise StatementRefused("statement.id", "stands twice in one request", index)
            given.add(chosen)
        ids.append(chosen or uuid.uuid4())
    return Checked(entries, ids, frozenset(given))


def prepare(checked: Checked, sender: Sender) -> list[Ready]:
    """Do all of the work of `keep` that needs no database."""
    return make_ready(
        checked.entries, checked.ids, authority=sender.authority, version=sender.version
    )


def keep(
    checked: Checked,
    ready: Sequence[Ready],
    sender: Sender,
    attachments: Mapping[str, bytes] | None = None,
) -> list[uuid.UUID]:
    """Store what is new of some statements; returns all ids in the order sent.

    ready: made by `prepare`. attachments: bytes by hash, checked
    (`services.attachments.check_parts`).

    Raises StatementConflict when an id is in the store with another content, VoidingRefused for
    what another key stored. Nothing is stored then.
    """
    begun = begin_writing(ready, checked.given, checked.given)  # from here on, nobody else writes
    known = begun.known
    if not sender.may_void_all:
        _check_voids(checked.entries, sender.key_id)
    fresh: list[Ready] = []
    for one in ready:
        document = known.get(one.statement_id)
        if document is None:
            fresh.append(one)
        elif not is_same(one.value, json.loads(document)):
            raise StatementConflict(str(one.statement_id))
    if fresh and attachments:
        uses = [(one.value, begun.place.first_pk + number) for number, one in enumerate(fresh)]
        keep_attachments(attachments, uses)
    if fresh:
        write_ready(fresh, checked.given - known.keys(), begun, key_id=sender.key_id)
    return list(checked.ids)


def receive(
    statements: Sequence[Any],
    *,
    authority: Mapping[str, Any],
    key_id: int | None,
    may_void_all: bool = False,
    check_reach: Callable[[Sequence[Any]], None] | None = None,
    version: str = "1.0.3",
) -> list[uuid.UUID]:
    """Check JSON values or `Sent` texts, and store what is new; returns the ids in order.

    check_reach: called with the valid statements before they are stored; raises when one lies
    outside. Raises what `check` and `keep` raise.
    """
    entries = [one if isinstance(one, Sent) else sent(one) for one in statements]
    checked = check(entries, version)
    if check_reach is not None:
        check_reach([entry.value for entry in entries])
    sender = Sender(authority, key_id, may_void_all, version)
    return keep(checked, prepare(checked, sender), sender)


def _check_voids(entries: Sequence[Sent], key_id: int | None) -> None:
    """Raise VoidingRefused for a voiding statement about another key's statement."""
    wanted = [
        uuid.UUID(entry.value["object"]["id"])
        for entry in entries
        if entry.value["verb"]["id"] == VOIDED
    ]
    owners = rows_in("statement_id, key_id", "xapi_statements", "statement_id", uuid.UUID, wanted)
    for statement_id, owner_id in owners:
        if owner_id is None or owner_id != key_id:
            raise VoidingRefused(str(uuid.UUID(str(statement_id))))
