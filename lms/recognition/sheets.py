"""Lists of members as associations keep them: CSV or XLSX with a row of headings."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from lms.core.text import fold
from lms.recognition.errors import UnreadableList

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 100_000
_MOST_UNPACKED = 200 * 1024 * 1024
_HEADINGS = {
    "number": {
        "number", "membership number", "member number", "numero", "numero de afiliacion",
        "numero de socio", "numero de colegiado", "numero de membre", "matricula", "registro",
        "numero de registro", "numero de registro profissional",
    },
    "email": {
        "e-mail", "email", "mail", "correo", "correo electronico", "courriel",
        "adresse courriel",
    },
    "licence": {
        "licence", "license", "licence number", "license number", "licencia", "permis", "licenca",
        "numero de licencia", "numero de permis",
    },
}  # fmt: skip


@dataclass(frozen=True)
class MemberRow:
    """One line of the list. line: as the spreadsheet counts it."""

    line: int
    number: str
    email: str
    licence: str


def read_members(content: bytes, name: str) -> list[MemberRow]:
    """The lines of a list. Raises UnreadableList, whose text says why."""
    if len(content) > MOST_BYTES:
        raise UnreadableList(_("This file is too large: at most 10 MB."))
    rows = _xlsx(content) if content[:2] == b"PK" else _csv(content)
    headings = next(rows, [])
    places = _places(headings)
    found = []
    for line, row in enumerate(rows, start=2):
        if line > MOST_ROWS + 1:
            raise UnreadableList(_("This list is too long: at most 100,000 lines."))
        cells = {
            what: row[place].strip() if place < len(row) else "" for what, place in places.items()
        }
        if any(cells.values()):
            found.append(
                MemberRow(line, cells["number"], cells.get("email", ""), cells.get("licence", ""))
            )
    if not found:
        raise UnreadableList(_("This list has headings, but no members."))
    return found


def _places(headings: list[str]) -> dict[str, int]:
    words = [" ".join(fold(heading).replace("_", " ").split()).strip(".:") for heading in headings]
    places: dict[str, int] = {}
    for what, names in _HEADINGS.items():
        for place, word in enumerate(words):
            if word in names:
                places.setdefault(what, place)
    if "number" not in places or len(places) < 2:
        raise UnreadableList(
            _("The first row must name the columns: “number”, and “email” or “licence” beside it.")
        )
    return places


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # what spreadsheets write on Windows
    if "\x00" in text:
        raise UnreadableList
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error:
        raise UnreadableList from None


def _xlsx(content: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook  # takes long to load

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(member.file_size for member in packed.infolist()) > _MOST_UNPACKED:
                raise UnreadableList(_("This file is too large: at most 10 MB."))
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for row in sheet.iter_rows(values_only=True):
            yield [_cell(value) for value in row]
    except UnreadableList:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError, OSError) as error:
        raise UnreadableList from error


def _cell(value: object) -> str:
    """A cell as it is read: numbers without the ".0" that spreadsheets add."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
