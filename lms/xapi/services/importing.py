"""Statements from a file: exports of this and of other record stores, all of them or none.

Read are JSON Lines (one statement on each line), a JSON array of statements, and what another
store answers (`{"statements": [...]}`). Each statement keeps its own text; ids and authorities
stay, `stored` is set anew.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import IO, Any, Protocol

from lms.core.errors import DomainError
from lms.xapi.errors import StatementRefused
from lms.xapi.json_text import NotJson, Sent, read_one
from lms.xapi.services.attachments import attachments_of
from lms.xapi.services.record import own_authority
from lms.xapi.services.rows import rows_in
from lms.xapi.services.sameness import is_same
from lms.xapi.services.store import write
from lms.xapi.validation import check_statement

_AT_ONCE = 500  # statements held in memory
_CHUNK = 256 * 1024  # characters read at once
_LONGEST = 20 * 1024 * 1024  # characters of one statement
MOST_PROBLEMS = 50
_SPACE = re.compile(r"[\s,]*")
_HEAD = re.compile(r'\{\s*"statements"\s*:\s*\[')
_decoder = json.JSONDecoder()


@dataclass(frozen=True)
class Problem:
    """Why a statement cannot be taken, and where it stands."""

    line: int | None  # counted from 1; None when it is about the file as a whole
    text: str

    def __str__(self) -> str:
        return self.text if self.line is None else f"line {self.line}: {self.text}"


@dataclass
class ImportReport:
    """What an import did, or would have done."""

    read: int = 0
    stored: int = 0
    known: int = 0  # equal statements that were there already
    attachments: int = 0  # files that came with them
    problems: list[Problem] = field(default_factory=list)


class ImportRefused(DomainError):
    """Statements of the file cannot be taken; nothing of it was stored."""

    status = 422

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        super().__init__(str(report.problems[0]))


class Files(Protocol):
    """The files that came with the statements."""

    def check(self, statement: Mapping[str, Any]) -> None:
        """Raise StatementRefused unless the files that a statement names fit it."""

    def use(self, uses: Sequence[tuple[int, str]]) -> None:
        """Note which statements, by primary key, name which hashes."""


@dataclass(frozen=True)
class _Entry:
    """A statement of the file."""

    line: int
    sent: Sent


class _Reader:
    """Cuts a file into the texts of its statements, each with its line, in constant memory."""

    def __init__(self, file: IO[str], tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell
        self._text = ""
        self._at = 0
        self._line = 1
        self._is_over = False

    def _more(self) -> bool:
        chunk = self._file.read(_CHUNK)
        self._is_over = not chunk
        self._text = self._text[self._at :] + chunk
        self._at = 0
        self._tell(len(chunk))
        return bool(chunk)

    def _move_to(self, at: int) -> None:
        self._line += self._text.count("\n", self._at, at)
        self._at = at

    def _skip(self) -> None:
        """Go to the next sign that is neither blank nor comma."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._move_to(found.end() if found else self._at)
            if self._at < len(self._text) or not self._more():
                return

    def texts(self) -> Iterator[tuple[int, str]]:
        """Line and text of each value. Raises NotJson for what stands at `line`."""
        self._more()
        self._text = self._text.removeprefix("\ufeff")
        self._skip()
        head = _HEAD.match(self._text, self._at)
        if head is None and self._text[self._at : self._at + 1] != "[":
            yield from self._lines()
            return
        self._move_to(head.end() if head else self._at + 1)
        while True:
            self._skip()
            if self._at >= len(self._text):
                raise NotJson("the list does not end: the file is cut off")
            if self._text[self._at] == "]":
                return
            end = self._end_of_value()
            yield self._line, self._text[self._at : end]
            self._move_to(end)

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Each line that is not blank."""
        while True:
            end = self._text.find("\n", self._at)
            if end < 0 and len(self._text) - self._at < _LONGEST and self._more():
                continue
            text = self._text[self._at : end] if end >= 0 else self._text[self._at :]
            if text.strip():
                yield self._line, text
            if end < 0:
                return
            self._move_to(end + 1)

    @property
    def line(self) -> int:
        """The line that is being read, counted from 1."""
        return self._line

    def _end_of_value(self) -> int:
        while True:
            try:
                _value, end = _decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = not self._is_over and len(self._text) - self._at < _LONGEST
                if is_cut and self._more():
                    continue
                raise NotJson(f"is not JSON: {error.msg}") from None
            except RecursionError:
                raise NotJson("nests too deep") from None
            if end < len(self._text) or self._is_over or not self._more():
                return end  # a number at the very end might go on in the next part


def import_statements(
    file: IO[str],
    tell: Callable[[int], None] = lambda characters: None,
    files: Files | None = None,
) -> ImportReport:
    """Store all statements of a file that are not in the store.

    tell: called with the number of characters read since the last call. files: what came with
    them; to be kept by the caller. Goes on after a problem
    to find more of them, but raises ImportRefused at the end; the transaction is then to be
    rolled back by whoever opened it.
    """
    report = ImportReport()
    reader = _Reader(file, tell)
    for batch in _batches(_entries(reader, report, files)):
        _take(batch, report)
        if files is not None and not report.problems:
            files.use(_uses(batch))
    refuse_problems(report)
    return report


def refuse_problems(report: ImportReport) -> None:
    """Raise ImportRefused when there was a problem, those of the whole file first."""
    if report.problems:
        report.problems.sort(key=lambda problem: problem.line or 0)
        raise ImportRefused(report)


def _uses(batch: Sequence[_Entry]) -> list[tuple[int, str]]:
    """Which statements name which attachments, also of those that were there already."""
    named: dict[uuid.UUID, list[str]] = {}
    for entry in batch:
        hashes = [one["sha2"].lower() for _path, one in attachments_of(entry.sent.value)]
        if hashes and "id" in entry.sent.value:
            named[uuid.UUID(entry.sent.value["id"])] = hashes
    rows = rows_in("id, statement_id", "xapi_statements", "statement_id", uuid.UUID, named)
    return [(key, sha2) for key, name in rows for sha2 in named[uuid.UUID(str(name))]]


def note_problem(report: ImportReport, line: int | None, text: str) -> None:
    """Add a problem, unless there are many already."""
    if len(report.problems) < MOST_PROBLEMS:
        report.problems.append(Problem(line, text))


def _entries(reader: _Reader, report: ImportReport, files: Files | None) -> Iterator[_Entry]:
    """The valid statements of the file; what is wrong goes into the report."""
    try:
        for line, text in reader.texts():
            report.read += 1
            try:
                sent = read_one(text)
                check_statement(sent.value, None, _version(sent.value))
                if files is not None:
                    files.check(sent.value)
            except NotJson as error:
                note_problem(report, line, str(error))
            except StatementRefused as refusal:
                note_problem(report, line, f"{refusal.path}: {refusal.rule}")
            else:
                yield _Entry(line, sent)
            if len(report.problems) >= MOST_PROBLEMS:
                return
    except NotJson as error:
        note_problem(report, reader.line, str(error))
    except UnicodeDecodeError:
        note_problem(report, reader.line, "is not UTF-8")


def _version(statement: Any) -> str:
    """The version whose rules a kept statement follows."""
    named = statement.get("version") if isinstance(statement, dict) else None
    return "2.0.0" if isinstance(named, str) and named.startswith("2") else "1.0.3"


def _batches(entries: Iterator[_Entry]) -> Iterator[list[_Entry]]:
    batch: list[_Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _take(batch: Sequence[_Entry], report: ImportReport) -> None:
    """Store what is new of some statements, unless there was a problem before."""
    ids = {uuid.UUID(entry.sent.value["id"]) for entry in batch if "id" in entry.sent.value}
    columns = "statement_id, document"
    rows = rows_in(columns, "xapi_statements", "statement_id", uuid.UUID, ids)
    kept = {uuid.UUID(str(statement_id)): document for statement_id, document in rows}
    fresh: list[tuple[_Entry, uuid.UUID]] = []
    new: dict[uuid.UUID, Mapping[str, Any]] = {}
    for entry in batch:
        value = entry.sent.value
        statement_id = uuid.UUID(value["id"]) if "id" in value else uuid.uuid4()
        other = new.get(statement_id)
        if other is None and statement_id in kept:
            other = json.loads(kept[statement_id])
        if other is None:
            new[statement_id] = value
            fresh.append((entry, statement_id))
        elif is_same(value, other):
            report.known += 1
        else:
            text = f"the store holds another statement with the id {statement_id}"
            note_problem(report, entry.line, text)
    if not report.problems:
        _write(fresh)
    report.stored += len(fresh)


def _write(fresh: Sequence[tuple[_Entry, uuid.UUID]]) -> None:
    """Store new statements in their order, each in the name of its own authority."""

    def kind(one: tuple[_Entry, uuid.UUID]) -> tuple[str, str]:
        value = one[0].sent.value
        authority = value.get("authority") or own_authority()
        return _version(value), json.dumps(authority, sort_keys=True)

    for (version, authority), group in groupby(fresh, kind):
        part = list(group)
        write(
            [entry.sent for entry, _id in part],
            [statement_id for _entry, statement_id in part],
            [statement_id for entry, statement_id in part if "id" in entry.sent.value],
            authority=json.loads(authority),
            key_id=None,
            version=version,
        )
