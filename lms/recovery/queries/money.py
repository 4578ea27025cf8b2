"""Invoiced, earned, collected: from the ledger's sums, each currency for itself.

- Invoiced: sales less what was taken back of them, as buyers owe it, tax included.
- Earned: what was taught or handed over, less what was earned and went back; never holds tax.
- Collected: what came in from buyers less what went back to them, in the currency they paid in. A
  dispute counts as money that went back once it is lost. Fees, payouts and exchanges move our own
  money and do not count.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.ledger.queries import movements

INVOICED_BY = (EntryKind.SALE, EntryKind.CREDIT_NOTE, EntryKind.CREDIT_NOTE_UNDONE)
GIVEN_BACK_BY = (EntryKind.REFUND, EntryKind.REFUND_FAILED)
COLLECTED_BY = (EntryKind.PAYMENT, *GIVEN_BACK_BY)
OWED_IN = (Account.RECEIVABLE,)
EARNED_IN = (
    Account.COURSES,
    Account.PUBLICATIONS,
    Account.EXCHANGE_FEES,
    Account.BREAKAGE,
    Account.REFUNDS,
)
MONEY_IN = (Account.BANK, Account.CLEARING, Account.PARTNER_RECEIVABLE)
MEASURES = ("invoiced", "earned", "collected")
RUN = "run:"

Column = ColumnElement[Any]
Rows: TypeAlias = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Wanted:
    """Which money. first, last: months, "2027-02", both included; None is all.

    since, until: days, for lines alone. country and rail: "" for what has none.
    """

    first: str | None = None
    last: str | None = None
    country: str | None = None
    currency: str | None = None
    rail: str | None = None
    run_id: int | None = None
    course_id: int | None = None
    since: date | None = None
    until: date | None = None

    def conditions(
        self, month: Column, country: Column, currency: Column, rail: Column, product: Column
    ) -> list[Column]:
        """The same as conditions on columns of the ledger or of its sums."""
        found: list[Column] = []
        if self.first is not None:
            found.append(month >= self.first)
        if self.last is not None:
            found.append(month <= self.last)
        pairs = ((country, self.country), (currency, self.currency), (rail, self.rail))
        found += [column == value for column, value in pairs if value is not None]
        if self.run_id is not None:
            found.append(product == run_product(self.run_id))
        if self.course_id is not None:
            runs = select(product_of_run()).where(CourseRun.course_id == self.course_id)
            found.append(product.in_(runs))
        return found


def run_product(run_id: int) -> str:
    """How the ledger names a course run."""
    return f"{RUN}{run_id}"


def product_of_run() -> Column:
    """The same as a column of SQL."""
    return literal(RUN) + cast(CourseRun.id, String)


def month_of(day: date | None) -> str | None:
    """The ledger's name of the month of a day."""
    return f"{day:%Y-%m}" if day else None


def _within(account: Column, kinds: Collection[Account]) -> Column:
    return or_(
        account.in_([kind.value for kind in kinds]),
        *(account.startswith(f"{kind.value}:", autoescape=True) for kind in kinds),
    )


def belongs_to(measure: str, account: Column, kind: Column) -> Column:
    """Whether a posting counts for a measure."""
    match measure:
        case "invoiced":
            return and_(kind.in_(INVOICED_BY), _within(account, OWED_IN))
        case "earned":
            return _within(account, EARNED_IN)
        case "collected":
            return and_(kind.in_(COLLECTED_BY), _within(account, MONEY_IN))
        case "given_back":
            return and_(kind.in_(GIVEN_BACK_BY), _within(account, MONEY_IN))
    raise KeyError(measure)


def _sign(measure: str) -> int:
    """What makes a debit positive or negative for the reader."""
    return -1 if measure in ("earned", "given_back") else 1


def value_of(measure: str, account: Column, kind: Column, debit_less_credit: Column) -> Column:
    """What a posting adds to a measure, zero when it does not belong to it."""
    return case((belongs_to(measure, account, kind), debit_less_credit * _sign(measure)), else_=0)


def sums(lines: Subquery, measures: Sequence[str] = MEASURES) -> list[Column]:
    """The measures over some movements."""
    more = lines.c.debit_minor - lines.c.credit_minor
    return [
        func.coalesce(func.sum(value_of(name, lines.c.account, lines.c.kind, more)), 0).label(name)
        for name in measures
    ]


def list_money(by: Sequence[str], wanted: Wanted, measures: Sequence[str] = MEASURES) -> Rows:
    """The measures by dimensions of the ledger's sums and always by currency, without empty rows.

    by: of "month", "product", "country", "rail".
    """
    lines = movements()
    columns = [lines.c[name] for name in by]
    counted = or_(*(belongs_to(name, lines.c.account, lines.c.kind) for name in measures))
    where = wanted.conditions(
        lines.c.month, lines.c.country, lines.c.currency, lines.c.rail, lines.c.product
    )
    return (
        select(*columns, lines.c.currency, *sums(lines, measures))
        .where(counted, *where)
        .group_by(*columns, lines.c.currency)
    )


def list_lines(wanted: Wanted, measure: str | None = None) -> Rows:
    """The postings behind the figures, one row each, with what each adds to which measure."""
    account, kind = LedgerPosting.account.expression, LedgerEntry.kind.expression
    amount = LedgerPosting.amount_minor.expression
    chosen: tuple[str, ...] = (measure,) if measure in MEASURES else MEASURES
    day = LedgerEntry.effective_on.expression
    days: list[Column] = [day >= wanted.since] if wanted.since else []
    if wanted.until is not None:
        days.append(day <= wanted.until)
    lines: Rows = (
        select(
            LedgerPosting.id.label("posting_id"),
            LedgerEntry.effective_on.label("day"),
            LedgerEntry.kind.label("entry_kind"),
            LedgerEntry.about,
            LedgerEntry.product,
            LedgerEntry.country,
            LedgerEntry.rail,
            LedgerPosting.currency,
            *(value_of(name, account, kind, amount).label(name) for name in MEASURES),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            or_(*(belongs_to(name, account, kind) for name in chosen)),
            *days,
            *wanted.conditions(
                LedgerEntry.month.expression,
                LedgerEntry.country.expression,
                LedgerPosting.currency.expression,
                LedgerEntry.rail.expression,
                LedgerEntry.product.expression,
            ),
        )
    )
    return lines


@dataclass(frozen=True)
class MonthMoney:
    """One month in one currency."""

    month: str
    currency: str
    invoiced: Money
    earned: Money
    collected: Money
    given_back: Money


def money_of_months(first: str, last: str) -> list[MonthMoney]:
    """The money of some months, the latest first."""
    names = (*MEASURES, "given_back")
    statement = list_money(["month"], Wanted(first=first, last=last), names)
    rows = db.session.execute(statement).mappings()
    found = [
        MonthMoney(
            row["month"],
            row["currency"],
            *(Money(int(row[name]), row["currency"]) for name in names),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.month, one.currency))
