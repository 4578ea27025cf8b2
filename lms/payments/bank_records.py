"""A file of text as records of cells: what it is written in, and how it is cut.

Everything is bounded before it is read: bytes, lines, columns.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

import filetype
from flask_babel import gettext as _

from lms.payments.errors import BankFileRefused

MOST_BYTES = 10 * 1024 * 1024
MOST_LINES = 50_000
MOST_COLUMNS = 60
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
    "cp850": "DOS (850)",
}
DELIMITERS = (",", ";", "\t", "|")


def encoding_of(content: bytes) -> str:
    """What a file is written in. Raises BankFileRefused for what is no text."""
    if not content.strip():
        raise BankFileRefused(_("This file is empty."))
    if len(content) > MOST_BYTES:
        raise BankFileRefused(_("This file is too large: at most 10 MB."))
    _refuse_others(content)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    zeros = content[:4096].count(0)
    if zeros:
        even, odd = content[:4096:2].count(0), content[1:4096:2].count(0)
        if max(even, odd) < 0.3 * len(content[:4096]) / 2:
            raise BankFileRefused(_("This is no text file. Export the movements as CSV."))
        return "utf-16-be" if even > odd else "utf-16-le"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _refuse_others(content: bytes) -> None:
    start = content[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise BankFileRefused(
            _("This is a spreadsheet. Open it, save it as CSV, and choose the new file.")
        )
    if start.startswith((b"<html", b"<!doctype", b"<?xml", b"<table")):
        raise BankFileRefused(_("This is a web page or XML, not CSV. Export the movements as CSV."))
    if filetype.guess(content) is not None:
        raise BankFileRefused(_("This is no text file. Export the movements as CSV."))


def text_of(content: bytes, encoding: str) -> str:
    """The text of a file. Raises BankFileRefused when it is not written in this encoding."""
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        if encoding != "cp1252":
            raise BankFileRefused(
                _("The file cannot be read as %(name)s.", name=ENCODINGS.get(encoding, encoding))
            ) from None
        text = content.decode("cp1252", errors="replace")
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise BankFileRefused(_("This is no text file. Export the movements as CSV."))
    return text


def records_of(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The records with the line on which each begins. Raises BankFileRefused, naming the line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for record in reader:
            if len(record) > MOST_COLUMNS:
                raise BankFileRefused(
                    _("Line %(line)d has more than %(most)d columns.", line=begins,
                      most=MOST_COLUMNS)
                )  # fmt: skip
            cells = [_tidy(cell) for cell in record]
            if any(cells) and not (begins == 1 and re.fullmatch(r"sep=.", record[0])):
                found.append((begins, cells))
            begins = reader.line_num + 1
            if len(found) > MOST_LINES:
                raise BankFileRefused(_("This file is too long: at most 50,000 lines."))
    except csv.Error:
        raise BankFileRefused(
            _("Line %(line)d cannot be read: look at its quotation marks.", line=begins)
        ) from None
    return found


def _tidy(cell: str) -> str:
    """One line without control signs; a formula around a number is taken off."""
    cell = " ".join(cell.split())
    if cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1]
    return "".join(sign for sign in cell if sign.isprintable())


def guess_delimiter(text: str) -> str:
    """The sign that cuts most records into equally many cells."""

    def rank(sign: str) -> tuple[int, int]:
        head = "\n".join(text.splitlines()[:80])
        try:
            rows = list(csv.reader(io.StringIO(head, newline=""), delimiter=sign))
        except csv.Error:
            return (0, 0)
        widths = Counter(len(row) for row in rows if len(row) > 1)
        width, count = max(widths.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
        return count, width

    if (found := re.match(r"sep=(.)\r?\n", text)) is not None:
        return found.group(1)
    return max(DELIMITERS, key=rank)
