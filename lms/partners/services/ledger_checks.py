"""Do shares and statements agree with the ledger?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, exists, func, literal, select
from sqlalchemy.orm import joinedload, selectinload

from lms.core.db import db
from lms.core.money import Money
from lms.directory.models import Organisation
from lms.ledger.accounts import Account
from lms.ledger.checks import LedgerCheck, Unexplained
from lms.ledger.kinds import Difference, EntryKind
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.partners import queries
from lms.partners.collecting_models import CollectedOrder, Collector
from lms.partners.models import PartnerStatement
from lms.partners.services.collecting import GATEWAY
from lms.partners.services.sharing import missing_shares, runs_with_agreements
from lms.partners.services.statements import hash_of
from lms.payments.models import Payment, Refund, RefundState


def _shares() -> Iterable[Unexplained]:
    """Every share is what the agreement says, computed anew from the sales."""
    for run in runs_with_agreements():
        for missing in missing_shares(queries.told_sales(run_ids=[run.id])):
            yield Unexplained(
                Difference.SHARE,
                f"{missing.told.about} {missing.organisation.slug}",
                Money(missing.minor, missing.told.sale.currency),
            )


def _statements() -> Iterable[Unexplained]:
    """Each statement says what its accounts say, follows on the one before and is unchanged."""
    for organisation, currency in queries.partners_with_entries():
        for month, entry, minor in queries.differing_lines(organisation, currency):
            where = f"{organisation.slug} {month} entry {entry}"
            yield Unexplained(Difference.STATEMENT, where, Money(minor, currency))
    closing: dict[tuple[int, str], int] = {}
    for statement in db.session.scalars(
        select(PartnerStatement)
        .options(joinedload(PartnerStatement.organisation), selectinload(PartnerStatement.lines))
        .order_by(PartnerStatement.month)
    ):
        key = (statement.organisation_id, statement.currency)
        moved = sum(line.amount_minor for line in statement.lines)
        is_right = (
            statement.opening_minor == closing.get(key, 0)
            and statement.closing_minor == statement.opening_minor + moved
            and statement.hash == hash_of(statement)
        )
        closing[key] = statement.closing_minor
        if not is_right:
            where = f"{statement.organisation.slug} {statement.month}"
            yield Unexplained(Difference.STATEMENT, where, statement.closing)


def _collections() -> Iterable[Unexplained]:
    """What buyers paid a partner, and what it sent back, stands on what it collected."""
    paid = exists().where(
        LedgerEntry.source == literal("payment:") + cast(Payment.id, String),
        LedgerEntry.kind == EntryKind.PAYMENT.value,
        LedgerPosting.entry_id == LedgerEntry.id,
        LedgerPosting.account == _account(),
        LedgerPosting.amount_minor == Payment.amount_minor,
    )
    sent = exists().where(
        LedgerEntry.source == literal("refund:") + cast(Refund.id, String),
        LedgerEntry.kind == EntryKind.REFUND.value,
        LedgerPosting.entry_id == LedgerEntry.id,
        LedgerPosting.account == _account(),
        LedgerPosting.amount_minor == -Refund.amount_minor,
    )
    found: list[Payment | Refund] = [
        *db.session.scalars(
            _of_partners(select(Payment), Payment.order_id).where(Payment.gateway == GATEWAY, ~paid)
        ),
        *db.session.scalars(
            _of_partners(select(Refund), Refund.order_id).where(
                Refund.state == RefundState.DONE,
                exists().where(Payment.id == Refund.payment_id, Payment.gateway == GATEWAY),
                ~sent,
            )
        ),
    ]
    for one in found:
        where = f"order:{one.order.number} {one.__tablename__} {one.id}"
        yield Unexplained(Difference.COLLECTED, where, one.amount)


def _of_partners(statement: Select[Any], order_id: Any) -> Select[Any]:
    """With the partner that collects the order, if there is one."""
    return (
        statement.outerjoin(CollectedOrder, CollectedOrder.order_id == order_id)
        .outerjoin(Collector, Collector.id == CollectedOrder.collector_id)
        .outerjoin(Organisation, Organisation.id == Collector.organisation_id)
    )


def _account() -> ColumnElement[str]:
    """The account of the partner that collects an order, as `Account.of` writes slugs."""
    first = func.upper(func.substr(Organisation.slug, 1, 1))
    return (
        literal(f"{Account.PARTNER_RECEIVABLE.value}:") + first + func.substr(Organisation.slug, 2)
    )


CHECKS = [
    LedgerCheck("shares", _shares),
    LedgerCheck("partner_statements", _statements),
    LedgerCheck("partner_collections", _collections),
]
