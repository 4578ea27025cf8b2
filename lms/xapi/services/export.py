"""Statements as files, oldest first, in parts of a constant size: JSON Lines and CSV.

As a ZIP the attachments come with them: `statements.jsonl`, and `attachments/<sha2>` for each.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lms.core import clock
from lms.core.files import file_store
from lms.core.text import harmless, in_language
from lms.xapi import browse
from lms.xapi.browse import Wanted
from lms.xapi.lookup import agent_key, object_key
from lms.xapi.services.rows import rows_in

STATEMENTS = "statements.jsonl"  # names in a ZIP
ATTACHMENTS = "attachments/"
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
    JSON texts, with names in a language. has_attachments: whether it is a ZIP with these lines and
    all attachments."""

    name: str
    label: str | LazyString
    ending: str
    content_type: str
    head: Callable[[], bytes]
    lines: Callable[[Sequence[str], str], bytes]
    has_attachments: bool = False


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
    "zip": ExportFormat(
        "zip",
        lazy_gettext("ZIP with attachments"),
        "zip",
        "application/zip",
        lambda: b"",
        _json_lines,
        has_attachments=True,
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
    if format_.has_attachments:
        yield from _archive_parts(format_, wanted, language, tell)
        return
    yield format_.head()
    for _keys, text in _text_parts(format_, wanted, language, tell):
        yield text


def _text_parts(
    format_: ExportFormat, wanted: Wanted, language: str, tell: Callable[[int], None]
) -> Iterator[tuple[Sequence[int], bytes]]:
    """The lines of some statements after others, with their primary keys."""
    up_to, after, count = browse.newest_key(), 0, 0
    while rows := browse.read_documents(wanted, after, up_to, _AT_ONCE):
        after = rows[-1][0]
        count += len(rows)
        keys = [key for key, _stored, _document in rows]
        yield keys, format_.lines([document for _key, _stored, document in rows], language)
        tell(count)


class _Sink:
    """Takes what a ZIP writes, which never looks back, until it is handed on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""

    def take(self) -> bytes:
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


def _archive_parts(
    format_: ExportFormat, wanted: Wanted, language: str, tell: Callable[[int], None]
) -> Iterator[bytes]:
    """A ZIP in parts; memory grows with the number of attachments alone, whose names it lists.

    Attachments are not packed, so that what is packed much can be refused on the way in.
    """
    sink = _Sink()
    found: dict[str, str] = {}  # path by hash
    now = clock.now().timetuple()[:6]
    with ZipFile(sink, "w") as archive:  # type: ignore[call-overload]
        head = ZipInfo(STATEMENTS, now)
        head.compress_type = ZIP_DEFLATED
        with archive.open(head, "w", force_zip64=True) as file:
            for keys, text in _text_parts(format_, wanted, language, tell):
                file.write(text)
                found |= _paths(keys)
                yield sink.take()
        for sha2, path in found.items():
            entry = ZipInfo(ATTACHMENTS + sha2, now)
            entry.compress_type = ZIP_STORED
            archive.writestr(entry, file_store().read(path))
            yield sink.take()
    yield sink.take()


def _paths(keys: Sequence[int]) -> dict[str, str]:
    """Where the attachments of statements are kept, by hash."""
    uses = "xapi_attachment_uses JOIN xapi_attachments USING (sha2)"
    return dict(rows_in("sha2, path", uses, "statement_pk", int, keys))
