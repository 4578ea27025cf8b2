"""Do shares and statements agree with the ledger?"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from lms.core.db import db
from lms.core.money import Money
from lms.ledger.checks import LedgerCheck, Unexplained
from lms.ledger.kinds import Difference
from lms.partners import queries
from lms.partners.models import PartnerStatement
from lms.partners.services.sharing import missing_shares, runs_with_agreements
from lms.partners.services.statements import hash_of


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


CHECKS = [LedgerCheck("shares", _shares), LedgerCheck("partner_statements", _statements)]
