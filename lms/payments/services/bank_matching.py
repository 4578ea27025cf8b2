"""What each line of a bank's file is about: one rule for the preview and for the landing.

A line is sure when it names one order, that waits for just this amount by just this way; or orders
that are bought at once, with their sum: then it is as many movements as orders. All else is for a
person, or for nobody: a line that has landed before, or, on a partner's account, one that names no
order.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from lms.core import clock
from lms.core.money import Money
from lms.core.settings import settings
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.payments.bank_files import FileLine
from lms.payments.bank_models import BankAccount, Why
from lms.payments.gateways.base import part_reference, whole_reference
from lms.payments.models import SETTLED, Order, OrderState, Payment, Refund
from lms.payments.queries import bank as queries
from lms.payments.services import dues, purchases
from lms.payments.services.bookkeeping import money_account

_NUMBER = re.compile(r"P[^A-Z0-9]{0,3}(20\d\d)[^A-Z0-9]{0,3}(\d{6,9})(?!\d)")
_SQUEEZED = re.compile(r"P(20\d\d)(\d{6})")
_BY_AMOUNT = (EntryKind.PAYOUT, EntryKind.PARTNER_PAID, EntryKind.PARTNER_PAYS, EntryKind.REFUND)


class Verdict(StrEnum):
    """What becomes of a line."""

    KNOWN = "known"  # landed before, or stands twice in the file
    CONFIRMS = "confirms"  # pays its order
    RETURNS = "returns"  # a refund that was asked for is sent
    TELLS = "tells"  # the ledger knows of it already
    LOOK = "look"  # a person has to
    PASSED = "passed"  # not kept: a partner's own business


@dataclass
class Planned:
    """A line, and what becomes of it. reference: by which it is known for ever.

    part: counted from 1, of a line that is about several orders; each has its part of the amount.
    """

    line: FileLine
    reference: str
    verdict: Verdict
    why: Why | None = None
    order: Order | None = None
    payment: Payment | None = None
    refund: Refund | None = None
    entry: queries.UntoldEntry | None = None
    part: int = 0


def ledger_account(account: BankAccount) -> str:
    """What holds the money of a bank account."""
    if account.organisation is None:
        return Account.BANK
    return Account.PARTNER_RECEIVABLE.of(account.organisation.slug)


def order_numbers(text: str) -> list[str]:
    """Numbers of orders in a text, however banks cut them: P-2027-000123, p2027 000123."""
    upper = text.upper()
    found = _NUMBER.findall(upper) or _SQUEEZED.findall(re.sub(r"[^A-Z0-9]", "", upper))
    return list(dict.fromkeys(f"P-{year}-{sequence}" for year, sequence in found))


def references_of(account: BankAccount, lines: Sequence[FileLine]) -> list[str]:
    """By what each line is known, whenever and by whomever it is uploaded.

    By the bank's own number where it gives one. Else by day, amount and words, counted: two equal
    lines of one file are two movements, and the same two when the file comes again.
    """
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        said = (
            ["number", line.day.isoformat(), str(line.minor), line.reference]
            if line.reference
            else ["words", line.day.isoformat(), str(line.minor), line.text, line.name]
        )
        key = "\x1f".join(" ".join(part.casefold().split()) for part in said)
        seen[key] += 1
        if not line.reference:
            key = f"{key}\x1f{seen[key]}"
        found.append(f"{account.id}:{hashlib.sha256(key.encode()).hexdigest()[:32]}")
    return found


def _day_of(order: Order) -> date:
    return clock.local_date(order.created_at, settings().default_time_zone)


def why_not(account: BankAccount, order: Order, day: date, amount: Money) -> Why | None:
    """Why a line is not sure to pay an order; None when it is."""
    if order.state in SETTLED:
        return Why.PAID_TWICE
    if order.state in (OrderState.CANCELLED, OrderState.REFUNDED):
        return Why.ORDER_CLOSED
    is_own_way = dues.transfer_gateway(order) == account.gateway
    if not is_own_way or money_account(account.gateway, order) != ledger_account(account):
        return Why.OTHER_WAY
    if order.currency != amount.currency:
        return Why.CURRENCY_DIFFERS
    if not dues.accepts(order, amount):
        return Why.AMOUNT_DIFFERS
    if day < _day_of(order) - timedelta(days=1):
        return Why.TOO_EARLY
    return None


class _Matcher:
    """All that the lines of one file may belong to, looked up at once, each given away once."""

    def __init__(self, account: BankAccount, lines: Sequence[FileLine]) -> None:
        self.account = account
        self.numbers = [order_numbers(f"{one.text} {one.reference} {one.name}") for one in lines]
        named = {number for numbers in self.numbers for number in numbers}
        self.orders = queries.orders_by_number(named)
        bought_at_once = (
            one for order in self.orders.values() if order.purchase for one in order.purchase.orders
        )
        ids = list({order.id for order in (*self.orders.values(), *bought_at_once)})
        self.payments = queries.payments_without_line(ids, account.gateway)
        self.refunds = queries.asked_refunds(ids, account.gateway)
        self.by_reference = queries.payments_by_reference(
            account.gateway, {line.reference for line in lines if line.reference}
        )
        self.untold: list[queries.UntoldEntry] = []
        if account.organisation_id is None and lines:
            days = [line.day for line in lines]
            self.untold = queries.untold_entries(
                account.currency, min(days) - queries.AFTER, max(days) + queries.BEFORE
            )
        self.paid: set[int] = set()  # orders, by a line before

    def judge(self, place: int, found: Planned) -> list[Planned]:
        """Say what becomes of a line: once, or for each of the orders that it is about."""
        line = found.line
        orders = [self.orders[one] for one in self.numbers[place] if one in self.orders]
        if line.minor < 0:
            self._judge_out(found, orders)
        elif len(orders) == 1 or len({order.purchase_id or -order.id for order in orders}) == 1:
            return self._judge_named(found, orders[0])
        elif len(orders) > 1:
            found.why = Why.TWO_ORDERS
        elif (payment := self.by_reference.get(line.reference)) is not None:
            self._tell(found, payment)
        else:
            self._judge_unnamed(found)
        return [found]

    def _judge_named(self, found: Planned, order: Order) -> list[Planned]:
        amount = Money(found.line.minor, self.account.currency)
        found.order = order
        told = self._confirmed_by_hand(order, amount)
        if told:
            parts = in_parts(found, [(payment.order, payment.amount) for payment in told])
            for part, payment in zip(parts, told, strict=True):
                self.payments[payment.order_id].remove(payment)
                self._tell(part, payment)
            return parts
        together = purchases.paid_by(order, amount)
        parts = in_parts(found, [(one, one.total) for one in together])
        for one, part in zip(together, parts, strict=True):
            of_it = Money(part.line.minor, amount.currency)
            why = why_not(self.account, one, found.line.day, of_it)
            found.why = found.why or (Why.PAID_TWICE if one.id in self.paid else why)
        if found.why is not None:
            return [found]
        for part in parts:
            part.verdict = Verdict.CONFIRMS
        # of what is delivered, each line may pay a part
        self.paid |= {one.id for one in together if one.state != OrderState.OWED}
        return parts

    def _confirmed_by_hand(self, order: Order, amount: Money) -> Sequence[Payment]:
        """The payment that a person noted for this money, or those for all bought at once."""
        of_order = self.payments.get(order.id, ())
        for payment in of_order:
            if payment.amount == amount:
                return [payment]
        names = {whole_reference(payment.reference) for payment in of_order}
        orders = order.purchase.orders if order.purchase and len(names) == 1 else ()
        parts = [
            payment
            for one in orders
            for payment in self.payments.get(one.id, ())
            if whole_reference(payment.reference) in names
        ]
        is_all = sum(payment.amount_minor for payment in parts) == amount.minor
        return parts if is_all and amount.currency == order.currency else ()

    def _tell(self, found: Planned, payment: Payment) -> None:
        """Somebody has confirmed it by hand."""
        self.by_reference.pop(payment.reference, None)
        found.verdict, found.why = Verdict.TELLS, None
        found.payment, found.order = payment, payment.order

    def _judge_out(self, found: Planned, orders: Sequence[Order]) -> None:
        for order in orders:
            found.order = order
            for refund in self.refunds.get(order.id, ()):
                if refund.amount_minor == -found.line.minor:
                    self.refunds[order.id].remove(refund)
                    found.verdict, found.refund = Verdict.RETURNS, refund
                    return
            about = f"order:{order.number}"
            if self._take_entry(found, lambda entry, about=about: entry.about == about):  # type: ignore[misc]
                return
        if orders:
            found.why = Why.AMOUNT_DIFFERS
            return
        self._judge_unnamed(found)

    def _judge_unnamed(self, found: Planned) -> None:
        if self._take_entry(found, lambda entry: entry.kind in _BY_AMOUNT):
            return
        if self.account.organisation_id is not None:
            found.verdict = Verdict.PASSED
        else:
            found.why = Why.UNKNOWN

    def _take_entry(self, found: Planned, is_like: Callable[[queries.UntoldEntry], bool]) -> bool:
        for entry in self.untold:
            if is_like(entry) and entry.fits(found.line.day, found.line.minor):
                self.untold.remove(entry)
                found.verdict, found.entry, found.why = Verdict.TELLS, entry, None
                return True
        return False


def in_parts(found: Planned, orders: Sequence[tuple[Order, Money]]) -> list[Planned]:
    """A line as one for each order with its part of the amount; itself where it is about one."""
    if len(orders) < 2:
        return [found]
    return [
        replace(
            found,
            line=replace(found.line, minor=amount.minor),
            reference=found.reference if part == 1 else part_reference(found.reference, part),
            order=order,
            part=part,
        )
        for part, (order, amount) in enumerate(orders, 1)
    ]


def plan(account: BankAccount, lines: Sequence[FileLine]) -> list[Planned]:
    """What becomes of each line of a file, and of each order of a line. Reads only."""
    references = references_of(account, lines)
    known = queries.known_references(account.gateway, references)
    matcher = _Matcher(account, lines)
    found: list[Planned] = []
    for place, (line, reference) in enumerate(zip(lines, references, strict=True)):
        one = Planned(line, reference, Verdict.LOOK)
        if reference in known:
            one.verdict = Verdict.KNOWN
            found.append(one)
        else:
            known.add(reference)
            found += matcher.judge(place, one)
    return found
