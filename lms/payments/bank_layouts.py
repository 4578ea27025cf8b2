"""How a bank writes its file, as data: guessed, put right by a person, kept for the next file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _

from lms.core.text import fold
from lms.payments.bank_cells import (
    DayOrder,
    guess_day_order,
    guess_decimal,
    read_day,
    read_minor,
    read_side,
)
from lms.payments.bank_records import encoding_of, guess_delimiter, records_of, text_of
from lms.payments.errors import BankFileRefused

LOOKED_AT = 200  # records by which columns are guessed


class Purpose(StrEnum):
    """What a column of the file is."""

    NOTHING = ""
    DAY = "day"
    AMOUNT = "amount"  # in is positive, out is negative
    MONEY_IN = "in"
    MONEY_OUT = "out"
    SIDE = "side"  # says whether the amount came or went
    TEXT = "text"
    NAME = "name"
    REFERENCE = "reference"  # the bank's own number, another one on each line
    BALANCE = "balance"  # after the line
    CURRENCY = "currency"


# Words of headings, folded; tried in this order, each column once.
_HEADINGS = {
    Purpose.BALANCE: ("saldo", "balance", "solde"),
    Purpose.CURRENCY: ("moneda", "currency", "devise", "moeda"),
    Purpose.SIDE: ("d/c", "c/d", "dc", "cr/dr", "dr/cr", "tipo", "sentido", "signo", "side"),
    Purpose.DAY: ("fecha", "date", "data", "dia"),
    Purpose.MONEY_IN: (
        "abono", "haber", "credit", "deposit", "ingreso", "entrada", "money in", "paid in",
    ),
    Purpose.MONEY_OUT: (
        "cargo", "debe", "debit", "retiro", "withdrawal", "egreso", "saida", "retrait",
        "money out", "paid out",
    ),
    Purpose.AMOUNT: ("importe", "monto", "amount", "montant", "valor", "quantia"),
    Purpose.TEXT: (
        "descrip", "concept", "detal", "glosa", "memo", "libelle", "historico", "narrat",
        "communic", "mensaje", "message", "motiv",
    ),
    Purpose.REFERENCE: (
        "nro", "no.", "num", "id", "referenc", "operacion", "transac", "comprobante",
        "documento", "codigo",
    ),
    Purpose.NAME: (
        "nombre", "name", "beneficiari", "ordenante", "remitente", "counterparty", "payer",
        "nom", "nome", "titular",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How a bank writes its file. starts_at: the record, from 0, with the first line."""

    encoding: str
    delimiter: str
    starts_at: int
    headings: Sequence[str]
    purposes: Sequence[str]
    day_order: str
    decimal: str

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Layout:
        """As it was kept."""
        return cls(**kept)

    def of(self, purpose: Purpose) -> list[int]:
        """The columns of a purpose."""
        return [place for place, one in enumerate(self.purposes) if one == purpose]


def _is_day(cell: str) -> bool:
    return any(read_day(cell, order) is not None for order in DayOrder)


def _is_amount(cell: str) -> bool:
    return any(read_minor(cell, sign, "KWD") is not None for sign in ",.")


def _is_line(record: Sequence[str]) -> bool:
    days = [place for place, cell in enumerate(record) if _is_day(cell)]
    return any(_is_amount(cell) for place, cell in enumerate(record) if days and place != days[0])


def guess_layout(
    content: bytes,
    today: date,
    kept: Layout | None = None,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Layout:
    """How a file is written; as `kept` where its headings are those of the file before.

    encoding, delimiter: as a person says. Raises BankFileRefused.
    """
    known = encoding_of(content)
    encoding = encoding or known
    text = text_of(content, encoding)
    delimiter = delimiter or guess_delimiter(text)
    found = [cells for _line, cells in records_of(text, delimiter)]
    starts_at = next((n for n, record in enumerate(found[:40]) if _is_line(record)), None)
    if starts_at is None:
        raise BankFileRefused(_("No line with a day and an amount was found in this file."))
    headings: Sequence[str] = found[starts_at - 1] if starts_at else []
    rows = [record for record in found[starts_at : starts_at + LOOKED_AT] if _is_line(record)]
    width = max(len(record) for record in [headings, *rows])
    if kept is not None and list(kept.headings) == list(headings) and len(kept.purposes) >= width:
        return replace(kept, encoding=encoding, delimiter=delimiter, starts_at=starts_at)
    columns = [[record[n] for record in rows if n < len(record)] for n in range(width)]
    purposes = _guess_purposes([fold(one) for one in headings], columns)
    days = [cell for n in range(width) if purposes[n] == Purpose.DAY for cell in columns[n]]
    of_money = (Purpose.AMOUNT, Purpose.MONEY_IN, Purpose.MONEY_OUT, Purpose.BALANCE)
    amounts = [cell for n in range(width) if purposes[n] in of_money for cell in columns[n]]
    return Layout(
        encoding, delimiter, starts_at, list(headings), purposes,
        guess_day_order(days, today)[0], guess_decimal(amounts),
    )  # fmt: skip


def _guess_purposes(headings: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    """What each column is, by its heading and its cells."""
    purposes: list[str] = [Purpose.NOTHING] * len(columns)
    once = {*Purpose} - {Purpose.TEXT}
    for purpose, words in _HEADINGS.items():
        for n, cells in enumerate(columns):
            heading = headings[n].strip(" .:*") if n < len(headings) else ""
            is_taken = purposes[n] != Purpose.NOTHING or (purpose in once and purpose in purposes)
            if not heading or is_taken or not _says(heading, words):
                continue
            if _fits(purpose, cells, is_named=True):
                purposes[n] = purpose
    if Purpose.MONEY_IN in purposes and Purpose.AMOUNT in purposes:
        purposes[purposes.index(Purpose.AMOUNT)] = Purpose.NOTHING
    free = [n for n, one in enumerate(purposes) if one == Purpose.NOTHING]
    if Purpose.DAY not in purposes:
        _take_first(purposes, free, columns, Purpose.DAY)
    if not {Purpose.AMOUNT, Purpose.MONEY_IN} & {*purposes}:
        free = [n for n in free if purposes[n] == Purpose.NOTHING]
        with_cents = [n for n in free if any(re.search(r"[.,]\d\d$", c) for c in columns[n])]
        _take_first(purposes, with_cents or free, columns, Purpose.AMOUNT)
        rest = [n for n in with_cents if purposes[n] == Purpose.NOTHING]
        if not headings and rest:
            _take_first(purposes, rest[-1:], columns, Purpose.BALANCE)
    for n, cells in enumerate(columns):
        is_words = any(re.search(r"[^\W\d]{3}", cell) for cell in cells)
        if purposes[n] == Purpose.NOTHING and is_words and not all(map(_is_day, cells)):
            purposes[n] = Purpose.TEXT
    return purposes


def _says(heading: str, words: Sequence[str]) -> bool:
    """Whether a heading has a word that begins so; very short ones stand alone."""
    return any(
        re.search(rf"\b{re.escape(word)}{r'(?![a-z])' if len(word) < 5 else ''}", heading)
        for word in words
    )


def _take_first(
    purposes: list[str], places: Sequence[int], columns: Sequence[Sequence[str]], purpose: Purpose
) -> None:
    for n in places:
        if purposes[n] == Purpose.NOTHING and _fits(purpose, columns[n]):
            purposes[n] = purpose
            return


def _fits(purpose: Purpose, cells: Sequence[str], *, is_named: bool = False) -> bool:
    """Whether the cells of a column can be this. is_named: its heading says so."""
    filled = [cell for cell in cells if cell]
    match purpose:
        case Purpose.DAY:
            return bool(filled) and sum(map(_is_day, filled)) >= 0.8 * len(cells)
        case Purpose.AMOUNT | Purpose.MONEY_IN | Purpose.MONEY_OUT | Purpose.BALANCE:
            return (any if is_named and filled else all)(map(_is_amount, filled))
        case Purpose.SIDE:
            return bool(filled) and all(read_side(cell) is not None for cell in filled)
        case Purpose.REFERENCE:
            return bool(filled) and len(filled) == len(cells) == len({*filled})
        case _:
            return True


def columns_of(content: bytes, layout: Layout) -> list[list[str]]:
    """The first cells of each column, for a person who says what it is."""
    records = records_of(text_of(content, layout.encoding), layout.delimiter)
    rows = [cells for _line, cells in records[layout.starts_at : layout.starts_at + 3]]
    return [
        [cells[n] for cells in rows if n < len(cells) and cells[n]]
        for n in range(len(layout.purposes))
    ]
