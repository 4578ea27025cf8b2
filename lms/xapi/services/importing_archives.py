"""Statements with their attachments from a ZIP as an export makes it, all of it or nothing.

The archive is never unpacked: its statements are read as a stream, its attachments one by one, by
names that can only be hashes. What it claims of itself is held against limits before it is read.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import IO, Any, NoReturn
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from lms.xapi.services.attachments import attachments_of, hash_of, keep_attachments
from lms.xapi.services.export import ATTACHMENTS, STATEMENTS
from lms.xapi.services.importing import (
    ImportRefused,
    ImportReport,
    Problem,
    import_statements,
    note_problem,
    refuse_problems,
)
from lms.xapi.services.rows import insert_rows
from lms.xapi.services.signatures import SIGNATURE, check_signature

MOST_ENTRIES = 100_000
MOST_BYTES = 20 * 1024 * 1024  # of one attachment, as on the wire
MOST_RATIO = 200  # unpacked to packed, above RATIO_FROM bytes
RATIO_FROM = 10 * 1024 * 1024
_AT_ONCE = 20 * 1024 * 1024  # bytes of attachments held in memory, and one more
_MOST_AT_ONCE = 200
_ENTRY_BYTES = 400  # of the directory, on average at most
_BLOCK = 64 * 1024
_HASH = "|".join(rf"[0-9a-f]{{{length}}}" for length in (56, 64, 96, 128))
_NAME = re.compile(rf"{re.escape(ATTACHMENTS)}({_HASH})")
_END, _END_64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


def is_archive(file: IO[bytes]) -> bool:
    """Whether a file begins as a ZIP does; afterwards it stands at its beginning."""
    head = file.read(4)
    file.seek(0)
    return head in (b"PK\x03\x04", _END)


def import_archive(
    file: IO[bytes],
    tell: Callable[[int], None] = lambda characters: None,
    *,
    is_trial: bool = False,
) -> ImportReport:
    """Store the statements of a ZIP that are not in the store, and the attachments of all.

    tell: as for `import_statements`. is_trial: the transaction will be rolled back, so that no
    file is to be kept. Raises ImportRefused; the transaction is then to be rolled back.
    """
    report = ImportReport()
    with _reading(report):
        _check_directory(file)
        with _opened(file) as archive:
            entries = _entries(archive)
            contents = _Contents(archive, entries)
            contents.check_hashes(report)
            refuse_problems(report)
            with archive.open(STATEMENTS) as packed:
                text = TextIOWrapper(packed, encoding="utf-8", newline="")
                report = import_statements(text, tell, contents)
            for sha2 in contents.unnamed():
                note_problem(report, None, f"{ATTACHMENTS}{sha2}: no statement names it")
            refuse_problems(report)
            report.attachments = len(entries)
            if not is_trial:
                contents.keep()
    return report


@contextmanager
def _reading(report: ImportReport) -> Iterator[None]:
    """Turn what a broken archive raises into a refusal."""
    try:
        yield
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        report.problems.append(Problem(None, f"is not a ZIP that can be read: {error}"))
        raise ImportRefused(report) from None


def _opened(file: IO[bytes]) -> ZipFile:
    try:
        return ZipFile(file)
    except ValueError as error:  # a place before the beginning of the file
        raise BadZipFile(str(error)) from None


def _refuse(text: str) -> NoReturn:
    raise ImportRefused(ImportReport(problems=[Problem(None, text)]))


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a directory that is too long to be read, whichever of its two ends claims it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 0xFFFF - 22 - 20 - 56))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise BadZipFile("it has no end")
    claims = [struct.unpack_from("<HL", tail, at + 10)]
    if tail[at - 20 : at - 16] == _LOCATOR:
        claims = [claim for claim in claims if claim[0] != 0xFFFF and claim[1] != 0xFFFFFFFF]
        [place] = struct.unpack_from("<Q", tail, at - 12)
        for start in {place, size - len(tail) + at - 20 - 56}:
            file.seek(start if start < size else 0)
            record = file.read(56)
            if record[:4] == _END_64 and len(record) == 56:
                claims.append(struct.unpack_from("<QQ", record, 32))
    file.seek(0)
    for count, length in claims:
        if count > MOST_ENTRIES + 1 or length > (MOST_ENTRIES + 1) * _ENTRY_BYTES:
            _refuse(f"has more than {MOST_ENTRIES} attachments")


def _entries(archive: ZipFile) -> dict[str, ZipInfo]:
    """The attachments by hash, when nothing else but the statements is there."""
    found: dict[str, ZipInfo] = {}
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES + 1:
        _refuse(f"has more than {MOST_ENTRIES} attachments")
    size = archive.start_dir
    if any(not 0 <= info.header_offset < size for info in infos):
        raise BadZipFile("an entry lies outside of it")
    if sum(info.compress_size for info in infos) > size:
        _refuse("has entries that lie over each other")
    names: set[str] = set()
    for info in infos:
        name = info.filename
        shown = ascii(name)[:200]
        if name in names:
            _refuse(f"has two entries with the name {shown}")
        names.add(name)
        if name == ATTACHMENTS and not info.file_size:
            continue
        if info.flag_bits & 1 or info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            _refuse(f"{shown}: is encrypted, or packed in a way that is not read")
        if info.file_size > RATIO_FROM + info.compress_size * MOST_RATIO:
            _refuse(f"{shown}: is packed so much that it is taken for an attack")
        fitting = _NAME.fullmatch(name)
        if fitting:
            if info.file_size > MOST_BYTES:
                _refuse(f"{shown}: is larger than {MOST_BYTES} bytes")
            found[fitting[1]] = info
        elif name != STATEMENTS:
            _refuse(f"{shown}: only {STATEMENTS} and {ATTACHMENTS}<sha2> are read")
    if STATEMENTS not in names:
        _refuse(f"has no {STATEMENTS}")
    return found


class _Contents:
    """The attachments of an archive, read when they are needed."""

    def __init__(self, archive: ZipFile, entries: Mapping[str, ZipInfo]) -> None:
        self._archive, self._entries = archive, entries
        self._named: set[str] = set()

    def check_hashes(self, report: ImportReport) -> None:
        """Note what has another hash than its name says."""
        for sha2, info in self._entries.items():
            digest = hash_of(sha2)
            with self._archive.open(info) as content:
                while block := content.read(_BLOCK):
                    digest.update(block)
            if digest.hexdigest() != sha2:
                note_problem(report, None, f"{info.filename}: has another hash than its name")

    def check(self, statement: Mapping[str, Any]) -> None:
        """Raise StatementRefused for a signature that does not hold."""
        for path, attachment in attachments_of(statement):
            info = self._entries.get(attachment["sha2"].lower())
            if info is not None and attachment["usageType"] == SIGNATURE:
                content = self._archive.read(info)
                check_signature(statement, attachment, content, path, None)

    def use(self, uses: Sequence[tuple[int, str]]) -> None:
        """Keep which statements name which attachments of the archive."""
        known = [(key, sha2) for key, sha2 in uses if sha2 in self._entries]
        self._named.update(sha2 for _key, sha2 in known)
        columns = {"statement_pk": int, "sha2": str}
        insert_rows("xapi_attachment_uses", columns, list(set(known)), is_known_fine=True)

    def unnamed(self) -> Iterable[str]:
        """Attachments that no statement of the archive names."""
        return (sha2 for sha2 in self._entries if sha2 not in self._named)

    def keep(self) -> None:
        """Keep the attachments, as many at once as memory is meant for."""
        waiting: dict[str, bytes] = {}
        for sha2, info in self._entries.items():
            waiting[sha2] = self._archive.read(info)
            is_much = sum(map(len, waiting.values())) > _AT_ONCE
            if is_much or len(waiting) == _MOST_AT_ONCE:
                keep_attachments(waiting, ())
                waiting.clear()
        keep_attachments(waiting, ())
