"""What the figures of cost recovery count: which entries, on which accounts.

- Invoiced: sales less what was taken back of them, as buyers owe it, tax included.
- Earned: what was taught or handed over, less what was earned and went back; never holds tax.
- Collected: what came in from buyers less what went back to them, in the currency they paid in. A
  dispute counts as money that went back once it is lost. Fees, payouts and exchanges move our own
  money and do not count.
- Given back: the part of it that went back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, case, or_

from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.queries import accounts_within

Column: TypeAlias = ColumnElement[Any]

EARNED_IN = (
    Account.COURSES,
    Account.PUBLICATIONS,
    Account.EXCHANGE_FEES,
    Account.RECOGNITION_FEES,
    Account.BREAKAGE,
    Account.REFUNDS,
)
MONEY_IN = (Account.BANK, Account.CLEARING, Account.PARTNER_RECEIVABLE)
_BACK = (EntryKind.REFUND, EntryKind.REFUND_FAILED)


@dataclass(frozen=True)
class Measure:
    """A figure: its accounts, the kinds of entry that count (none: all), and its sign.

    sign: what makes a debit positive or negative for the reader.
    """

    accounts: Collection[Account]
    kinds: Collection[EntryKind] = ()
    sign: int = 1


ALL_MEASURES = {
    "invoiced": Measure(
        (Account.RECEIVABLE,),
        (EntryKind.SALE, EntryKind.CREDIT_NOTE, EntryKind.CREDIT_NOTE_UNDONE),
    ),
    "earned": Measure(EARNED_IN, sign=-1),
    "collected": Measure(MONEY_IN, (EntryKind.PAYMENT, *_BACK)),
    "given_back": Measure(MONEY_IN, _BACK, sign=-1),
}
MEASURES = ("invoiced", "earned", "collected")


class Counted:
    """Some measures over postings or sums. account, kind, amount: columns, debits positive.

    The accounts are looked up once, by name: an index finds them where a pattern would read all.
    """

    def __init__(
        self, account: Column, kind: Column, amount: Column, names: Sequence[str] = MEASURES
    ) -> None:
        self._account, self._kind, self._amount, self._names = account, kind, amount, names
        self._codes = accounts_within(
            {one for name in names for one in ALL_MEASURES[name].accounts}
        )

    def belongs_to(self, name: str) -> Column:
        """Whether a posting counts for a measure."""
        measure = ALL_MEASURES[name]
        values = {one.value for one in measure.accounts}
        mine = [code for code in self._codes if ":".join(code.split(":")[:2]) in values]
        within = self._account.in_(mine)
        return and_(within, self._kind.in_(measure.kinds)) if measure.kinds else within

    def belongs(self, names: Sequence[str] | None = None) -> Column:
        """Whether a posting counts for any of the measures."""
        return or_(*(self.belongs_to(name) for name in names or self._names))

    def values(self) -> list[Column]:
        """What a posting adds to each measure, zero where it does not belong to it."""
        return [
            case((self.belongs_to(name), self._amount * ALL_MEASURES[name].sign), else_=0).label(
                name
            )
            for name in self._names
        ]
