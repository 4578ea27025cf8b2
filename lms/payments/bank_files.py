"""The lines of a bank's file, read by its layout; what cannot be read is named by its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from babel.numbers import is_currency
from flask_babel import gettext as _

from lms.payments.bank_cells import DayOrder, read_day, read_minor, read_side
from lms.payments.bank_layouts import Layout, Purpose
from lms.payments.bank_records import records_of, text_of

MOST_SIGNS = 500  # of a text that is kept
_OTHER_WAY = {
    DayOrder.DAY_FIRST: DayOrder.MONTH_FIRST,
    DayOrder.MONTH_FIRST: DayOrder.DAY_FIRST,
    DayOrder.YEAR_FIRST: DayOrder.YEAR_FIRST,
}


@dataclass(frozen=True)
class FileLine:
    """A movement as the file tells it. line: of the file, as an editor counts.

    turned: the day if day and month stood the other way round, None when that is no day.
    """

    line: int
    day: date
    minor: int
    text: str
    name: str = ""
    reference: str = ""
    balance: int | None = None
    turned: date | None = None


@dataclass(frozen=True)
class Problem:
    """A row that cannot be read, or something about the whole file (line 0)."""

    line: int
    text: str


@dataclass
class BankFile:
    """What was read. passed_over: lines with no movement. opening, closing: minor units."""

    lines: list[FileLine] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    passed_over: list[int] = field(default_factory=list)
    opening: int | None = None
    closing: int | None = None

    def may_be_turned(self, today: date) -> bool:
        """Whether all days could as well be read with day and month the other way round.

        Not when one of them would be no day then, when all stay the same, or when some would lie
        in the future and none does now: banks tell what has happened.
        """
        turned = [line.turned for line in self.lines if line.turned is not None]
        days = [line.day for line in self.lines]
        if len(turned) < len(days) or turned == days:
            return False
        return max(turned) <= today or max(days) > today

    @property
    def first_on(self) -> date | None:
        """The first day."""
        return min((line.day for line in self.lines), default=None)

    @property
    def last_on(self) -> date | None:
        """The last day."""
        return max((line.day for line in self.lines), default=None)


def check_layout(layout: Layout) -> list[Problem]:
    """What is missing before lines can be read."""
    problems = []
    if len(layout.of(Purpose.DAY)) != 1:
        problems.append(Problem(0, _("Say which one column holds the day.")))
    ways = [len(layout.of(one)) for one in (Purpose.AMOUNT, Purpose.MONEY_IN, Purpose.MONEY_OUT)]
    if ways not in ([1, 0, 0], [0, 1, 1], [0, 1, 0]):
        problems.append(
            Problem(0, _("Say which column holds the amount, or which two hold money in and out."))
        )
    for purpose in (Purpose.SIDE, Purpose.BALANCE, Purpose.CURRENCY, Purpose.REFERENCE):
        if len(layout.of(purpose)) > 1:
            problems.append(Problem(0, _("Two columns are the same thing: choose one of them.")))
            break
    return problems


def read_file(content: bytes, layout: Layout, currency: str) -> BankFile:
    """All lines of a file. Raises BankFileRefused; what is wrong with a row is a `Problem`."""
    found = BankFile(problems=check_layout(layout))
    records = records_of(text_of(content, layout.encoding), layout.delimiter)[layout.starts_at :]
    if found.problems:
        return found
    rows = list(_read(records, layout, currency))
    good = [n for n, row in enumerate(rows) if isinstance(row, FileLine)]
    for n, row in enumerate(rows):
        if isinstance(row, FileLine):
            found.lines.append(row)
        elif row.text and ((good and good[0] < n < good[-1]) or _has_digit(records[n][1], layout)):
            found.problems.append(row)
        else:
            found.passed_over.append(row.line)
    if not found.lines and not found.problems:
        found.problems.append(Problem(0, _("No line with a day and an amount was found.")))
    _follow_balance(found)
    return found


def _has_digit(cells: Sequence[str], layout: Layout) -> bool:
    """Whether something stands where the day belongs; sums below the lines have words there."""
    return any(sign.isdecimal() for sign in _cell(cells, layout.of(Purpose.DAY)))


def _cell(cells: Sequence[str], places: Sequence[int]) -> str:
    return " ".join(cells[n] for n in places if n < len(cells) and cells[n])


def _read(
    records: Sequence[tuple[int, list[str]]], layout: Layout, currency: str
) -> Iterator[FileLine | Problem]:
    for number, cells in records:
        yield _read_line(number, cells, layout, currency)


def _read_line(
    number: int, cells: Sequence[str], layout: Layout, currency: str
) -> FileLine | Problem:
    """A movement; a problem without words where the row holds none."""

    def at(purpose: Purpose) -> str:
        return _cell(cells, layout.of(purpose))

    day_cell = at(Purpose.DAY)
    amounts = {
        purpose: at(purpose)
        for purpose in (Purpose.AMOUNT, Purpose.MONEY_IN, Purpose.MONEY_OUT)
        if at(purpose)
    }
    if not day_cell and not amounts:
        return Problem(number, "")
    day = read_day(day_cell, layout.day_order)
    if day is None:
        return Problem(number, _("“%(cell)s” is not a day.", cell=day_cell[:40]))
    minor = 0
    for purpose, cell in amounts.items():
        read = read_minor(cell, layout.decimal, currency)
        if read is None:
            return Problem(
                number,
                _("“%(cell)s” is not an amount in %(currency)s.", cell=cell[:40],
                  currency=currency),
            )  # fmt: skip
        minor += -abs(read) if purpose == Purpose.MONEY_OUT else read
    if not amounts:
        return Problem(number, _("The amount is missing."))
    if layout.of(Purpose.SIDE):
        side = read_side(at(Purpose.SIDE))
        if side is None:
            return Problem(number, _("It does not say whether the money came or went."))
        minor = side * abs(minor)
    said = at(Purpose.CURRENCY).upper()
    if said != currency and is_currency(said):
        return Problem(
            number,
            _("It is in %(other)s, the account in %(currency)s.", other=said, currency=currency),
        )
    if not minor:
        return Problem(number, "")
    return FileLine(
        number,
        day,
        minor,
        at(Purpose.TEXT)[:MOST_SIGNS],
        at(Purpose.NAME)[:200],
        at(Purpose.REFERENCE)[:100],
        read_minor(at(Purpose.BALANCE), layout.decimal, currency),
        read_day(day_cell, _OTHER_WAY[DayOrder(layout.day_order)]),
    )


def _follow_balance(found: BankFile) -> None:
    """What the account held before and after, where each line's balance follows on another's."""
    lines = found.lines
    if found.problems or not lines or any(line.balance is None for line in lines):
        return
    for way in (lines, lines[::-1]):
        held = [line.balance or 0 for line in way]
        steps = zip(held, way[1:], held[1:], strict=False)
        if all(before + line.minor == after for before, line, after in steps):
            found.opening, found.closing = held[0] - way[0].minor, held[-1]
            return
