"""What each partner gets of a sale: one rule for the ledger, its check and the simulation.

Rounding. All is in minor units of the sale's currency. The whole share of a party is rounded down;
parties take in their order, each at most what the basis has left, so that all shares together never
exceed the basis. What is earned of a share after some weeks is rounded down as well, of the sum so
far: the last week brings what is missing, and a sale taken back whole leaves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lms.partners.models import Basis, RefundsBorneBy


@dataclass(frozen=True)
class PartyTerms:
    """What one partner gets: hundredths of a per cent, or a fixed amount; at least `least`."""

    organisation_id: int
    percent_hundredths: int | None = None
    fixed_minor: int | None = None
    least_minor: int = 0


@dataclass(frozen=True)
class Terms:
    """A version's terms. currency: of its fixed and least amounts, for sales in that one only."""

    basis: str
    refunds_borne_by: str
    currency: str
    parties: Sequence[PartyTerms]


@dataclass(frozen=True)
class Sale:
    """A sale as the ledger tells it, in minor units.

    gross with tax, net without; fees of the payment service, those in another currency at the rate
    of their payment; earned: of the net, by weeks that were taught; taken_back: of what was earned.
    """

    currency: str
    gross: int
    net: int
    fees: int = 0
    earned: int = 0
    taken_back: int = 0


def basis_of(terms: Terms, sale: Sale) -> int:
    """What is shared of a whole sale."""
    if terms.basis == Basis.GROSS:
        return sale.gross
    if terms.basis == Basis.NET:
        return sale.net
    return max(0, sale.net - sale.fees)


def whole_shares(terms: Terms, sale: Sale) -> dict[int, int]:
    """Each party's share, by organisation, once every week is taught."""
    left = basis = basis_of(terms, sale)
    is_own_currency = sale.currency == terms.currency
    shares: dict[int, int] = {}
    for party in terms.parties:
        if party.percent_hundredths is not None:
            share = basis * party.percent_hundredths // 10_000
        else:
            share = (party.fixed_minor or 0) if is_own_currency else 0
        if is_own_currency:
            share = max(share, party.least_minor)
        share = min(share, left)
        left -= share
        shares[party.organisation_id] = share
    return shares


def earned_shares(terms: Terms, sale: Sale) -> dict[int, int]:
    """Each party's share, by organisation, of what is earned of the sale up to now."""
    kept = sale.earned
    if terms.refunds_borne_by == RefundsBorneBy.ALL:
        kept -= sale.taken_back
    if sale.net <= 0 or kept <= 0:
        return {party.organisation_id: 0 for party in terms.parties}
    return {
        organisation: share * min(kept, sale.net) // sale.net
        for organisation, share in whole_shares(terms, sale).items()
    }
