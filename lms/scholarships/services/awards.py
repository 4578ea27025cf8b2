"""Awards at the checkout: offered, held by an order, spent when it is sold, given back."""

from __future__ import annotations

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.pricing.engine import Offer, OfferKind
from lms.scholarships.errors import AlreadyDecided, AwardGone
from lms.scholarships.models import Application, ApplicationState, Fund
from lms.scholarships.services.applications import lock
from lms.scholarships.services.funds import move


def offer_of(award: Application, price: Money) -> Offer:
    """The award as one reduction among others.

    price: of the buyer, before reductions. A price that rose since is covered as far as the fund
    has something left. The price is in the fund's currency.
    """
    fund, percent = award.fund, award.percent or 0
    words = {"fund": dict(fund.name), "donor": fund.public_donor}
    most = award.reserved + fund.left
    if price.minor * percent // 100 <= most.minor:
        return Offer(OfferKind.SCHOLARSHIP, percent, words=words, key=award.id)
    return Offer(OfferKind.SCHOLARSHIP, off=most, words=words, key=award.id)


def hold(award: Application, amount: Money) -> None:
    """An order is placed with the award: nobody else uses it. Raises AwardGone."""
    try:
        award = lock(award, ApplicationState.AWARDED)
    except AlreadyDecided:
        raise AwardGone from None
    if not _reserve(award, amount):
        raise AwardGone


def release(award: Application) -> None:
    """The order came to nothing: the award can be used again until its last day."""
    award = lock(award, ApplicationState.USED)
    award.state, award.used_at = ApplicationState.AWARDED, None
    db.session.flush()


def hold_again(award: Application, amount: Money) -> bool:
    """An order that was given up was paid all the same: hold the award for it, if it can be."""
    try:
        award = lock(award, ApplicationState.AWARDED, ApplicationState.EXPIRED)
    except AlreadyDecided:
        return False
    return _reserve(award, amount)


def _reserve(award: Application, amount: Money) -> bool:
    more = max(0, amount.minor - award.reserved_minor)
    if more and not move(award.fund, reserved=more):
        return False
    award.reserved_minor += more
    award.state, award.used_at, award.ended_at = ApplicationState.USED, clock.now(), None
    db.session.flush()
    return True


def spend(award: Application, amount: Money) -> None:
    """The sale is in the ledger: the fund holds this less, and nothing is reserved any more."""
    move(award.fund, balance=-amount.minor, reserved=-award.reserved_minor)
    award.reserved_minor = 0
    db.session.flush()


def give_back(fund: Fund, amount: Money) -> None:
    """A sale was taken back in the ledger: the fund holds its part again."""
    move(fund, balance=amount.minor)


def spend_again(fund: Fund, amount: Money) -> bool:
    """A sale holds after all; False when the fund has given the money to others meanwhile."""
    return move(fund, balance=-amount.minor)
