"""What people hand in to have many certificates verified: tables of codes and names, zip files.

Everything is bounded before it is read: bytes, rows, columns, signs of a cell, entries of a zip
file and what they unpack to.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lms.certificates.codes import RANDOM_SIGNS
from lms.certificates.errors import NamesUnreadable, TableTooLong, TableUnreadable
from lms.certificates.json_text import BadJson, read_value
from lms.certificates.uploads import MAX_FILE
from lms.core.text import fold

MOST_ROWS = 2_000
MOST_COLUMNS = 50
MOST_SIGNS = 300  # of a cell
LARGEST = 20 * 1024 * 1024  # bytes of a file with many
MOST_FILES = 200  # of a zip file
LARGEST_UNPACKED = 60 * 1024 * 1024
NAMES_FILES = ("names.csv", "names.xlsx")  # beside the certificates in a zip file
_ZIP = b"PK\x03\x04"
_CODES = {"code", "codes", "codigo", "codigos", "certificate", "certificado", "attestation"}
_NAMES = {"name", "nombre", "nom", "nome", "holder", "titular", "titulaire", "full name"}


_FILES = {"file", "files", "file name", "archivo", "fichier", "arquivo"}


@dataclass(frozen=True)
class Asked:
    """One row: a code as it was written, and the name under which somebody knows the person."""

    code: str
    name: str = ""


def is_zip_of_files(content: bytes) -> bool:
    """Whether it is a zip file that is no workbook."""
    return content.startswith(_ZIP) and "xl/workbook.xml" not in _names(content)


def read_table(content: bytes) -> list[Asked]:
    """The rows of a CSV, XLSX or JSON file. Raises TableUnreadable and TableTooLong."""
    if not content or len(content) > LARGEST:
        raise TableUnreadable
    if content.startswith(_ZIP):
        return _from_cells(_cells_of_workbook(content))
    text = _text(content)
    if text.lstrip()[:1] in ("{", "["):
        return _from_json(text)
    return _from_cells(_cells_of_csv(text))


def read_codes(text: str) -> list[Asked]:
    """Codes, or rows of code and name, that were pasted. Raises TableTooLong."""
    lines = [line for line in text.replace("\r", "\n").split("\n") if line.strip()]
    parts = [part for line in lines for part in line.replace(";", ",").split(",") if part.strip()]
    if all(_is_like_code(part) for part in parts):
        return _checked(Asked(_cell(part)) for part in parts)
    return _from_cells(_cells_of_csv("\n".join(lines)))


def _is_like_code(part: str) -> bool:
    """Whether it has the shape of a code, typing errors and all; a name has no digits."""
    signs = re.sub(r"[^0-9A-Z]", "", part.upper())
    has_shape = len(signs.removeprefix("PU")) == RANDOM_SIGNS + 1
    return has_shape and any(sign.isdigit() for sign in signs)


def _text(content: bytes) -> str:
    if b"\0" in content:
        raise TableUnreadable
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # what spreadsheets of old write


def _cells_of_csv(text: str) -> Iterator[Sequence[str]]:
    first = text[:4096]
    sign = max((",", ";", "\t"), key=first.count)
    try:
        yield from csv.reader(io.StringIO(text), delimiter=sign)
    except csv.Error:
        raise TableUnreadable from None


def _cells_of_workbook(content: bytes) -> Iterator[Sequence[str]]:
    from openpyxl import load_workbook  # takes long to load

    _check_zip(content, most=5_000)
    try:
        with warnings.catch_warnings(action="ignore"):
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheet = book.worksheets[0]
            rows = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
            for row in itertools.islice(rows, 10 * MOST_ROWS):
                yield ["" if cell is None else str(cell) for cell in row]
    except (TableUnreadable, TableTooLong):
        raise
    except (
        ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RecursionError,
        SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    ) as error:  # a workbook is broken in as many ways as there are  # fmt: skip
        raise TableUnreadable from error


def _from_cells(rows: Iterable[Sequence[str]]) -> list[Asked]:
    filled = ([_cell(cell) for cell in row[:MOST_COLUMNS]] for row in rows)
    found = list(itertools.islice((row for row in filled if any(row)), MOST_ROWS + 2))
    if not found:
        raise TableUnreadable
    head = [fold(cell).strip(" :*") for cell in found[0]]
    code = next((place for place, word in enumerate(head) if word in _CODES), None)
    name = next((place for place, word in enumerate(head) if word in _NAMES), None)
    if code is not None:
        found = found[1:]
    else:
        code = _column_of_codes(found)
        name = next((place for place in range(len(found[0])) if place != code), None)
    if code is None:
        raise TableUnreadable
    return _checked(Asked(_at(row, code), _at(row, name)) for row in found)


def _column_of_codes(rows: list[list[str]]) -> int | None:
    """Where codes stand in a table without headings."""
    for row in rows[:20]:
        for place, cell in enumerate(row):
            if _is_like_code(cell):
                return place
    return 0 if all(len(row) == 1 for row in rows) else None


def _at(row: Sequence[str], place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""


def _cell(value: object) -> str:
    return " ".join(str(value).split())[:MOST_SIGNS]


def _from_json(text: str) -> list[Asked]:
    try:
        found = read_value(text.encode(), LARGEST)
    except BadJson:
        raise TableUnreadable from None
    return read_rows(found.get("rows") if isinstance(found, dict) else found)


def read_rows(rows: Any) -> list[Asked]:
    """Rows of JSON: codes, or objects with `code` and, if known, `name`."""
    if not isinstance(rows, list):
        raise TableUnreadable
    asked = []
    for row in rows[: MOST_ROWS + 1]:
        members = {"code": row} if isinstance(row, str) else row
        if not isinstance(members, dict) or not isinstance(members.get("code"), str):
            raise TableUnreadable
        name = members.get("name")
        asked.append(Asked(_cell(members["code"]), _cell(name) if isinstance(name, str) else ""))
    return _checked(asked)


def _checked(rows: Iterable[Asked]) -> list[Asked]:
    found = list(itertools.islice((row for row in rows if row.code or row.name), MOST_ROWS + 1))
    if len(found) > MOST_ROWS:
        raise TableTooLong
    if not found:
        raise TableUnreadable
    return found


def _names(content: bytes) -> set[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as box:
            return set(box.namelist()[:10_000])
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise TableUnreadable from None


def _check_zip(content: bytes, most: int) -> list[zipfile.ZipInfo]:
    """The entries of a zip file, none of which unpacks to more than is allowed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as box:
            entries = [entry for entry in box.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise TableUnreadable from None
    if len(entries) > most or sum(entry.file_size for entry in entries) > LARGEST_UNPACKED:
        raise TableTooLong
    return entries


def _divide(content: bytes) -> tuple[list[zipfile.ZipInfo], list[zipfile.ZipInfo]]:
    """The certificates of a zip file, and its tables of names."""
    entries = _check_zip(content, MOST_FILES + 1)
    tables = [entry for entry in entries if _base(entry.filename).lower() in NAMES_FILES]
    files = [entry for entry in entries if entry not in tables]
    if len(files) > MOST_FILES:
        raise TableTooLong
    return files, tables


def _base(path: str) -> str:
    return _cell(path.replace("\\", "/").rpartition("/")[2])


def count_rows(content: bytes) -> int:
    """How many rows the answer on a zip file has: its files, and those that only its table of
    names names.

    Raises TableUnreadable, TableTooLong and NamesUnreadable.
    """
    if len(content) > LARGEST:
        raise TableUnreadable
    files, _tables = _divide(content)
    if not files:
        raise TableUnreadable
    return len(files) + len(missing_files(content, read_names(content)))


def missing_files(content: bytes, names: Mapping[str, str]) -> list[str]:
    """The files that a table names and the zip file does not hold."""
    held = {_base(entry.filename).casefold() for entry in _divide(content)[0]}
    return [file for file in names if file.casefold() not in held]


def read_names(content: bytes) -> dict[str, str]:
    """The table of names in a zip file: file -> name under which somebody knows the person.

    Empty without one. Raises NamesUnreadable.
    """
    tables = _divide(content)[1]
    if not tables:
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as box, box.open(tables[0]) as file:
            table = file.read(MAX_FILE + 1)
        if len(tables) > 1 or len(table) > MAX_FILE:
            raise NamesUnreadable
        is_book = table.startswith(_ZIP)
        rows = _cells_of_workbook(table) if is_book else _cells_of_csv(_text(table))
        return _names_from_cells(rows)
    except (
        TableUnreadable, TableTooLong, zipfile.BadZipFile, zlib.error, RuntimeError,
        NotImplementedError, OSError,
    ):  # fmt: skip
        raise NamesUnreadable from None


def _names_from_cells(rows: Iterable[Sequence[str]]) -> dict[str, str]:
    filled = ([_cell(cell) for cell in row[:MOST_COLUMNS]] for row in rows)
    found = list(itertools.islice((row for row in filled if any(row)), MOST_FILES + 2))
    head = [fold(cell).strip(" :*") for cell in found[0]] if found else []
    file = next((place for place, word in enumerate(head) if word in _FILES), None)
    name = next((place for place, word in enumerate(head) if word in _NAMES), None)
    if file is not None and name is not None:
        found = found[1:]
    else:
        file, name = 0, 1
    named = {_base(_at(row, file)): _at(row, name) for row in found}
    if not named or len(named) > MOST_FILES or not all(named) or not any(named.values()):
        raise NamesUnreadable
    return named


def read_files(content: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Name and bytes of each certificate of a zip file; None for one that cannot be unpacked."""
    entries = _divide(content)[0]
    with zipfile.ZipFile(io.BytesIO(content)) as box:
        for entry in entries:
            name = _base(entry.filename)
            try:
                with box.open(entry) as file:  # never more than the entry says of itself
                    yield name, file.read(MAX_FILE + 1)
            except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError):
                yield name, None
