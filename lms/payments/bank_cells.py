"""Days and amounts as banks write them: read strictly, the way of writing guessed by a column."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

from babel.numbers import get_currency_precision

from lms.core.text import fold


class DayOrder(StrEnum):
    """In which order a day is written."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    YEAR_FIRST = "ymd"


class DecimalSign(StrEnum):
    """What stands before the cents."""

    COMMA = ","
    POINT = "."


MOST_DIGITS = 15
_YEARS = range(1990, 2101)
_TIME = re.compile(r"[T ]+\d{1,2}:\d{2}.*$")
_PARTS = re.compile(r"\d+|[a-z]+")
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan ene janv", "feb fev fevr", "mar mars", "apr abr avr", "may mai", "jun juin",
            "jul juil", "aug ago aout", "sep set sept", "oct out", "nov", "dec dic dez",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
_FILLERS = {"de", "del", "of", "le", "do"}
_CURRENCY = re.compile(r"^(?:[A-Z]{3}|BS\.?|R\$|US\$|CA\$|S/\.?|[$€£¥])|(?:[A-Z]{3}|BS\.?|[$€£¥])$")
_SIDES = {
    "C": 1, "CR": 1, "CREDIT": 1, "CREDITO": 1, "ABONO": 1, "HABER": 1, "H": 1, "+": 1,
    "D": -1, "DR": -1, "DB": -1, "DEBIT": -1, "DEBITO": -1, "CARGO": -1, "DEBE": -1, "S": -1,
    "-": -1,
}  # fmt: skip
_SIDE_BEHIND = re.compile(r"(?<=\d)\s*(CR|C|DR|DB|D)$")


def _month(word: str) -> int | None:
    for length in (4, 3):
        if word[:length] in _MONTHS:
            return _MONTHS[word[:length]]
    return None


def read_day(text: str, order: str) -> date | None:
    """The day in a cell, None when there is none. A year of four digits in front says enough."""
    parts = [
        part for part in _PARTS.findall(fold(_TIME.sub("", text.strip()))) if part not in _FILLERS
    ]
    if len(parts) == 1 and parts[0].isdecimal() and len(parts[0]) == 8:
        word = parts[0]
        cut = (4, 6) if order == DayOrder.YEAR_FIRST else (2, 4)
        parts = [word[: cut[0]], word[cut[0] : cut[1]], word[cut[1] :]]
    if len(parts) != 3:
        return None
    numbers = [int(part) if part.isdecimal() else _month(part) for part in parts]
    places = "dmy" if any(not part.isdecimal() for part in parts) else order
    if not parts[0].isdecimal():
        places = "mdy"
    if parts[0].isdecimal() and len(parts[0]) == 4:
        places = "ymd"
    found = dict(zip(places, numbers, strict=True))
    year, month, day = found["y"], found["m"], found["d"]
    if year is None or month is None or day is None:
        return None
    year += 2000 if year < 100 else 0
    if year not in _YEARS:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def guess_day_order(cells: Sequence[str], today: date) -> tuple[DayOrder, bool]:
    """The order in which all days can be read, and whether no other one is possible.

    Of several: the one with the fewest days to come, then the one whose days lie closest together.
    """
    if cells and all(re.match(r"(19|20)\d\d", cell) for cell in cells):
        return DayOrder.YEAR_FIRST, True
    ways: list[tuple[int, int, int, DayOrder]] = []
    for rank, order in enumerate(DayOrder):
        days = [read_day(cell, order) for cell in cells]
        read = [day for day in days if day is not None]
        if read:
            missed = len(days) - len(read)
            ahead = sum(day > today for day in read)
            span = (max(read) - min(read)).days
            ways.append((missed * 1_000_000 + ahead, span, rank, order))
    if not ways:
        return DayOrder.DAY_FIRST, False
    best = min(ways)
    same = {tuple(read_day(cell, way[3]) for cell in cells) for way in ways if way[0] == best[0]}
    return best[3], len(same) == 1


def _bare(text: str) -> tuple[str, int]:
    """Digits and separators of an amount, and its sign."""
    left = unicodedata.normalize("NFKC", text).upper().replace("−", "-")
    left = re.sub(r"[\s'’]", "", left)
    sign = 1
    if left.startswith("(") and left.endswith(")"):
        left, sign = left[1:-1], -sign
    side = _SIDE_BEHIND.search(left)
    if side is not None:
        left, sign = left[: side.start()], sign * _SIDES[side.group(1)]
    for _time in range(2):  # "-$ 5" and "$ -5"
        left = _CURRENCY.sub("", left)
        if left.startswith(("-", "+")):
            sign, left = sign * _SIDES[left[0]], left[1:]
    if left.endswith(("-", "+")):
        sign, left = sign * _SIDES[left[-1]], left[:-1]
    return left, sign


def read_minor(text: str, decimal: str, currency: str) -> int | None:
    """An amount in minor units, None when the cell holds none or has too many decimals."""
    left, sign = _bare(text)
    thousands = "." if decimal == DecimalSign.COMMA else ","
    whole, _sign, cents = left.partition(decimal)
    if not re.fullmatch(rf"\d+|\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+", whole):
        return None
    if _sign and not cents.isdecimal():
        return None
    whole = whole.replace(thousands, "")
    if len(whole) + len(cents) > MOST_DIGITS:
        return None
    minor = Decimal(f"{whole}.{cents or 0}").scaleb(get_currency_precision(currency))
    return sign * int(minor) if minor == minor.to_integral_value() else None


def guess_decimal(cells: Iterable[str]) -> DecimalSign:
    """What stands before the cents, by all amounts of a file."""
    votes: Counter[str] = Counter()
    for cell in cells:
        left, _sign = _bare(cell)
        signs = [sign for sign in left if sign in ",."]
        if not signs or not left.replace(",", "").replace(".", "").isdecimal():
            continue
        last, other = signs[-1], "." if signs[-1] == "," else ","
        behind = len(left) - left.rindex(last) - 1
        if len(set(signs)) == 2:
            votes[last] += 10
        elif len(signs) > 1:
            votes[other] += 10
        else:
            votes[last if behind != 3 else other] += 10 if behind < 3 else 1
    return DecimalSign(votes.most_common(1)[0][0]) if votes else DecimalSign.POINT


def read_side(text: str) -> int | None:
    """Whether money came (1) or went (-1), by a column that says so; None when it does not."""
    return _SIDES.get(fold(text).strip(" .").upper())
