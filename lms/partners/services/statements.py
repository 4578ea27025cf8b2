"""Statements: what a month brought a partner, from the ledger's entries alone, frozen when sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.directory.models import Organisation
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.queries import find_entry
from lms.ledger.services.entries import post
from lms.notifications.services import tell
from lms.partners import queries
from lms.partners.errors import (
    MonthNotOver,
    NothingToState,
    ReferenceUsed,
    StatementAnswered,
    TooMuch,
)
from lms.partners.events import StatementSent
from lms.partners.models import PartnerStatement, StatementLine, StatementState
from lms.partners.services.agreements import today

SHARES = (EntryKind.SHARE, EntryKind.SHARE_BACK)
COLLECTED = (
    EntryKind.COLLECTED,
    EntryKind.COLLECTED_BACK,
    EntryKind.PAYMENT,  # of a buyer, to the partner
    EntryKind.REFUND,
    EntryKind.REFUND_FAILED,
)
PAID = (EntryKind.PARTNER_PAID, EntryKind.PARTNER_PAYS)


def hash_of(statement: PartnerStatement) -> str:
    """SHA-256 of all that a statement says, hexadecimal."""
    said = [
        statement.organisation.slug,
        statement.currency,
        statement.month,
        statement.opening_minor,
        statement.sales_minor,
        statement.refunds_minor,
        [
            [
                line.entry_id,
                line.kind,
                line.happened_on.isoformat(),
                line.about,
                line.product,
                line.amount_minor,
            ]
            for line in statement.lines
        ],
        statement.closing_minor,
    ]
    return hashlib.sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class StatementSums:
    """A statement's figures: opening and these make the closing."""

    shares: Money
    collected: Money
    paid: Money


def sums_of(statement: PartnerStatement) -> StatementSums:
    """The lines of a statement, added by what they are."""

    def total(kinds: Sequence[EntryKind]) -> Money:
        of_kinds = (line.amount_minor for line in statement.lines if line.kind in kinds)
        return Money(sum(of_kinds), statement.currency)

    return StatementSums(total(SHARES), total(COLLECTED), total(PAID))


def send_statement(
    organisation: Organisation, currency: str, month: str, by: User
) -> PartnerStatement:
    """Freeze what a partner was not told yet, up to the end of a month, and tell its managers.

    An entry that came late stands in the next statement. Raises MonthNotOver, NothingToState.
    """
    if month >= f"{today():%Y-%m}":
        raise MonthNotOver
    before = queries.last_statement(organisation, currency)
    found = queries.unstated_entries(organisation, currency, month)
    if not found or (before is not None and before.month >= month):
        raise NothingToState
    opening = before.closing_minor if before else 0
    sales, refunds = queries.sales_and_refunds(organisation, currency, month)
    statement = PartnerStatement(
        organisation=organisation,
        currency=currency,
        month=month,
        opening_minor=opening,
        closing_minor=opening + sum(minor for _entry, minor in found),
        sales_minor=sales,
        refunds_minor=refunds,
        hash="",
        lines=[
            StatementLine(
                entry_id=entry.id,
                kind=entry.kind,
                happened_on=entry.happened_on,
                about=entry.about,
                product=entry.product,
                currency=currency,
                amount_minor=minor,
            )
            for entry, minor in found
        ],
    )
    statement.hash = hash_of(statement)
    db.session.add(statement)
    db.session.flush()
    record("partners.send_statement", by, by.id, statement=statement.id)
    for manager in queries.managers_of(organisation.id):
        tell(manager, "partners.statement", statement=str(statement.uuid), month=month)
    emit(StatementSent(statement))
    return statement


def send_month(month: str, by: User) -> int:
    """Send each partner what it was not told yet up to the end of a month; how many were sent.

    Raises MonthNotOver, and NothingToState when there is none to send.
    """
    if month >= f"{today():%Y-%m}":
        raise MonthNotOver
    sent = 0
    for organisation, currency in queries.partners_with_entries():
        try:
            send_statement(organisation, currency, month, by)
        except NothingToState:
            continue
        sent += 1
    if not sent:
        raise NothingToState
    return sent


def accept(statement: PartnerStatement, by: User) -> None:
    """The partner agrees. Raises StatementAnswered."""
    if statement.state == StatementState.ACCEPTED:
        raise StatementAnswered
    statement.state = StatementState.ACCEPTED
    statement.accepted_by, statement.accepted_at = by, clock.now()
    record("partners.accept_statement", by, by.id, statement=statement.id)
    db.session.flush()


def contest(line: StatementLine, words: str, by: User) -> None:
    """The partner says what is wrong with a line. Raises StatementAnswered."""
    if line.statement.state == StatementState.ACCEPTED:
        raise StatementAnswered
    line.contested, line.contested_at, line.contested_by_id = words, clock.now(), by.id
    line.answer = ""
    line.statement.state = StatementState.CONTESTED
    record("partners.contest", by, by.id, line=line.id)
    db.session.flush()


def answer(line: StatementLine, words: str, by: User) -> None:
    """The seller answers; what is wrong is put right by new entries in the next statement."""
    line.answer = words
    record("partners.answer", by, by.id, line=line.id)
    for manager in queries.managers_of(line.statement.organisation_id):
        tell(
            manager,
            "partners.statement",
            statement=str(line.statement.uuid),
            month=line.statement.month,
        )
    db.session.flush()


def record_payment(organisation: Organisation, amount: Money, reference: str, by: User) -> None:
    """Money was sent to a partner; what it collected for the seller is netted in the same entry.

    Raises TooMuch and ReferenceUsed.
    """
    db.session.refresh(organisation, with_for_update=True)
    source = f"partner:{organisation.id}:{reference}"
    if find_entry(source, EntryKind.PARTNER_PAID) is not None:
        raise ReferenceUsed
    payable, receivable = queries.account_balances(organisation, amount.currency)
    netted = max(0, receivable)
    if amount.minor <= 0 or amount.minor > payable - receivable:
        raise TooMuch
    post(
        EntryKind.PARTNER_PAID,
        source,
        today(),
        {
            queries.payable_account(organisation): amount + Money(netted, amount.currency),
            queries.receivable_account(organisation): Money(-netted, amount.currency),
            Account.BANK: -amount,
        },
        about=f"partner:{organisation.slug}",
        rail="bank_transfer",
        reason=reference,
    )
    record("partners.record_payment", by, by.id, organisation=organisation.id)


def record_payment_from(
    organisation: Organisation, amount: Money, reference: str, by: User
) -> None:
    """A partner handed on what it collected; what is owed to it is netted in the same entry.

    Raises TooMuch and ReferenceUsed.
    """
    db.session.refresh(organisation, with_for_update=True)
    source = f"partner:{organisation.id}:{reference}"
    if find_entry(source, EntryKind.PARTNER_PAYS) is not None:
        raise ReferenceUsed
    payable, receivable = queries.account_balances(organisation, amount.currency)
    netted = max(0, payable)
    if amount.minor <= 0 or amount.minor > receivable - payable:
        raise TooMuch(lazy_gettext("This is more than the partner owes."))
    post(
        EntryKind.PARTNER_PAYS,
        source,
        today(),
        {
            Account.BANK: amount,
            queries.payable_account(organisation): Money(netted, amount.currency),
            queries.receivable_account(organisation): -amount - Money(netted, amount.currency),
        },
        about=f"partner:{organisation.slug}",
        rail="bank_transfer",
        reason=reference,
    )
    record("partners.record_payment_from", by, by.id, organisation=organisation.id)


def rows_of(statement: PartnerStatement) -> Iterator[list[str]]:
    """A statement as a table that a spreadsheet can add up anew."""
    balance = statement.opening_minor
    yield ["day", "entry", "kind", "document", "product", "currency", "amount", "balance"]

    def decimal(minor: int) -> str:
        return str(Money(minor, statement.currency).decimal)

    yield ["", "", "opening", "", "", statement.currency, "", decimal(balance)]
    for line in statement.lines:
        balance += line.amount_minor
        yield [
            line.happened_on.isoformat(),
            str(line.entry_id),
            line.kind,
            line.about,
            line.product,
            line.currency,
            decimal(line.amount_minor),
            decimal(balance),
        ]
    yield ["", "", "closing", "", "", statement.currency, "", decimal(statement.closing_minor)]
