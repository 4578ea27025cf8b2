"""Statements as files: JSON Lines and CSV, oldest first, in parts of a constant size."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from lms.core.text import harmless, in_language
from lms.xapi import browse
from lms.xapi.browse import Wanted
from lms.xapi.lookup import agent_key, object_key

_AT_ONCE = 500  # statements held in memory
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for the system's own code page
COLUMNS = (
    "id", "stored", "timestamp", "actor", "actor_name", "verb", "object", "object_name",
    "score_scaled", "score_raw", "success", "completion", "duration", "response", "registration",
    "statement",
)  # fmt: skip


@dataclass(frozen=True)
class ExportFormat:
    """A kind of file. head: its first bytes. lines: the bytes of some statements'
    JSON texts, with names in a language."""

    name: str
    label: str
    ending: str
    content_type: str
    head: Callable[[], bytes]
    lines: Callable[[Sequence[str], str], bytes]


def _json_lines(documents: Sequence[str], language: str) -> bytes:
    # a statement's JSON is kept without line breaks of its own; one from elsewhere might have some
    return b"".join(document.replace("\n", " ").encode() + b"\n" for document in documents)


def _cell(value: object) -> object:
    return harmless(value) if isinstance(value, str) else value


def _written(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode()


def _name(thing: Mapping[str, Any], language: str) -> str:
    texts = thing.get("definition", {}).get("name") or {}
    return in_language(texts, language) if texts else str(thing.get("name", ""))


def _row(document: str, language: str) -> list[object]:
    statement = orjson.loads(document)
    result = statement.get("result", {})
    score = result.get("score", {})
    return [
        statement["id"],
        statement["stored"],
        statement["timestamp"],
        agent_key(statement["actor"]) or "",
        statement["actor"].get("name", ""),
        statement["verb"]["id"],
        object_key(statement["object"]),
        _name(statement["object"], language),
        score.get("scaled", ""),
        score.get("raw", ""),
        result.get("success", ""),
        result.get("completion", ""),
        result.get("duration", ""),
        result.get("response", ""),
        statement.get("context", {}).get("registration", ""),
        document,
    ]


FORMATS = {
    "jsonl": ExportFormat(
        "jsonl", "JSON Lines", "jsonl", "application/jsonl", lambda: b"", _json_lines
    ),
    "csv": ExportFormat(
        "csv",
        "CSV",
        "csv",
        "text/csv; charset=utf-8",
        lambda: _BYTE_ORDER_MARK.encode() + _written([COLUMNS]),
        lambda documents, language: _written([_row(one, language) for one in documents]),
    ),
}


def export_parts(
    format_: ExportFormat,
    wanted: Wanted,
    language: str = "en",
    tell: Callable[[int], None] = lambda count: None,
) -> Iterator[bytes]:
    """The file in parts. What is stored after the first part was asked for is left out.

    language: of the names in it. tell: called with the number of statements written so far.
    """
    up_to, after, count = browse.newest_key(), 0, 0
    yield format_.head()
    while rows := browse.read_documents(wanted, after, up_to, _AT_ONCE):
        after = rows[-1][0]
        count += len(rows)
        yield format_.lines([document for _key, _stored, document in rows], language)
        tell(count)
