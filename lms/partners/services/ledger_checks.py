"""Do shares and statements agree with the ledger?"""

from __future__ import annotations

from collections.abc import Iterable

from lms.core.money import Money
from lms.ledger.checks import LedgerCheck, Unexplained
from lms.ledger.kinds import Difference
from lms.partners import queries
from lms.partners.services.sharing import missing_shares, runs_with_agreements


def _shares() -> Iterable[Unexplained]:
    """Every share is what the agreement says, computed anew from the sales."""
    for run in runs_with_agreements():
        for missing in missing_shares(queries.told_sales(run_ids=[run.id])):
            yield Unexplained(
                Difference.SHARE,
                f"{missing.told.about} {missing.organisation.slug}",
                Money(missing.minor, missing.told.sale.currency),
            )


CHECKS = [LedgerCheck("shares", _shares)]
