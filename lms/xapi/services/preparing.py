"""Statements made ready to be written, before any transaction: all but their place in the order."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lms.xapi.json_text import Edit, Sent, dumps, edited, members
from lms.xapi.lookup import (
    By,
    agent_key,
    agent_keys,
    lookup_key,
    lookup_keys,
    object_key,
    reference_of,
)
from lms.xapi.validation import read_instant

_STAMP = "\0"  # stands in JSON nowhere


@dataclass(slots=True)
class Ready:
    """A statement that needs only its place: primary key and `stored`.

    pieces: its JSON text, cut where the instant of storing goes. keys: what it is found by, to
    which others may add. timestamp: None when it is the instant of storing.
    """

    value: Mapping[str, Any]
    statement_id: uuid.UUID
    pieces: Sequence[str]
    keys: set[int]
    reference: str | None
    timestamp: datetime | None
    actor_key: str
    verb_id: str
    object_key: str
    registration: uuid.UUID | None


def make_ready(
    entries: Sequence[Sent],
    ids: Sequence[uuid.UUID],
    *,
    authority: Mapping[str, Any],
    version: str,
) -> list[Ready]:
    """Valid statements, ready to be written in the name of an authority under these ids."""
    authority_text = dumps(authority)
    authority_keys = {lookup_key(By.RELATED_AGENT, key) for key in agent_keys(authority)}
    found: list[Ready] = []
    for entry, statement_id in zip(entries, ids, strict=True):
        statement = entry.value
        pieces = _document(entry, str(statement_id), authority_text, version).split(_STAMP)
        if "authority" in statement:  # what it said of that counts for nothing
            statement = {name: one for name, one in statement.items() if name != "authority"}
        registration = statement.get("context", {}).get("registration")
        found.append(
            Ready(
                statement,
                statement_id,
                pieces,
                lookup_keys(statement) | authority_keys,
                reference_of(statement),
                read_instant(statement["timestamp"]) if "timestamp" in statement else None,
                _for_column(agent_key(statement["actor"]) or "group:anonymous"),
                statement["verb"]["id"],
                _for_column(object_key(statement["object"])),
                uuid.UUID(registration) if registration else None,
            )
        )
    return found


def _for_column(value: str) -> str:
    """Without the one sign that PostgreSQL does not keep."""
    return value.replace("\0", "\ufffd")


def _document(entry: Sent, statement_id: str, authority: str, version: str) -> str:
    """The statement's own text with what the store adds, `_STAMP` in place of the instant."""
    statement, text = entry.value, entry.text
    edits: list[Edit] = []
    if "stored" in statement or "authority" in statement:
        for name, begin, end in members(text):
            if name == "stored":
                edits.append((begin, end, f'"{_STAMP}"'))
            elif name == "authority":
                edits.append((begin, end, authority))
    edits += _lists_of_activities(statement, text)
    is_2_0 = version.startswith("2")
    if is_2_0 and not statement.get("timestamp", "Z").endswith(("Z", "z", "+00:00")):
        edits += _in_utc(text)
    if edits:
        text = edited(text, edits)
    added = "" if "id" in statement else f',"id":"{statement_id}"'
    if "stored" not in statement:
        added += f',"stored":"{_STAMP}"'
    if "timestamp" not in statement:
        added += f',"timestamp":"{_STAMP}"'
    if "authority" not in statement:
        added += f',"authority":{authority}'
    if "version" not in statement:
        added += ',"version":"2.0.0"' if is_2_0 else ',"version":"1.0.0"'
    if "\n" in text or "\r" in text:  # between values alone; files with one statement a line
        text = text.replace("\r", " ").replace("\n", " ")
    return f"{text[:-1]}{added}}}"


def _lists_of_activities(statement: Mapping[str, Any], text: str) -> list[Edit]:
    """Context activities are kept and given back as lists (1.0.3, part two, 2.4.6.2)."""
    parts = (statement, statement["object"])
    if all(
        type(named) is list
        for part in parts
        for named in part.get("context", {}).get("contextActivities", {}).values()
    ):
        return []
    edits: list[Edit] = []
    for name, begin, _end in members(text):
        if name == "context":
            edits += _lists_in_context(text, begin)
        elif name == "object":
            for inner, inner_begin, _inner_end in members(text, begin):
                if inner == "context":
                    edits += _lists_in_context(text, inner_begin)
    return edits


def _lists_in_context(text: str, at: int) -> list[Edit]:
    return [
        (begin, end, f"[{text[begin:end]}]")
        for name, groups, _end in members(text, at)
        if name == "contextActivities"
        for _kind, begin, end in members(text, groups)
        if text[begin] != "["
    ]


def _in_utc(text: str) -> list[Edit]:
    """A timestamp of another zone is kept in UTC (2.0.0)."""
    edits: list[Edit] = []
    for name, begin, end in members(text):
        if name == "timestamp":
            at = read_instant(text[begin + 1 : end - 1])
            edits.append((begin, end, f'"{at.isoformat()[:-6]}Z"'))
    return edits
