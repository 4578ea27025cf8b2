"""What rooms that post tell the ledger: what must agree with it, and what its entries are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lms.core.money import Money
from lms.core.registry import Registered
from lms.ledger.kinds import Difference


@dataclass(frozen=True)
class Unexplained:
    """Something that the ledger and the rest of the house tell differently.

    where: the source, document or account.
    amount: how much differs, None where no money does.
    """

    what: Difference
    where: str
    amount: Money | None = None
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerCheck:
    """A comparison with the ledger. run: gives what is not explained, nothing when all agrees."""

    name: str
    run: Callable[[], Iterable[Unexplained]]


ledger_checks: Registered[LedgerCheck] = Registered("ledger_checks", LedgerCheck)


@dataclass(frozen=True)
class LedgerDocument:
    """What the word before the colon in an entry's `about` or `product` stands for.

    name: that word, such as "order". labels: words for people, by key. url: the page of a key.
    """

    name: str
    labels: Callable[[Iterable[str]], dict[str, str]]
    url: Callable[[str], str | None]


ledger_documents: Registered[LedgerDocument] = Registered("ledger_documents", LedgerDocument)
