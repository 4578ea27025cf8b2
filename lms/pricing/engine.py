"""What a person pays, step by step. Pure: no database, no clock, no words of a language.

The rules come in one order: tier, early bird, contract of an organisation, scholarship, voucher,
pay what you can. Of the reductions that cannot be added up the best one counts, for the buyer;
those that can be added up come on top. A lowered price does not fall below the floor, unless one
reduction covers the whole price, and is rounded down to the currency's step. Each change is a step
that is kept and shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lms.core.money import CurrencyMismatch, Money


class OfferKind(StrEnum):
    """Where a reduction comes from, in the order in which they are applied."""

    CONTRACT = "contract"
    SCHOLARSHIP = "scholarship"
    VOUCHER = "voucher"


class StepKind(StrEnum):
    """Why an amount changed."""

    LIST = "list"
    TIER = "tier"
    EARLY_BIRD = "early_bird"
    CONTRACT = "contract"
    SCHOLARSHIP = "scholarship"
    VOUCHER = "voucher"
    FLOOR = "floor"
    ROUNDING = "rounding"
    PAY_WHAT_YOU_CAN = "pay_what_you_can"


_ORDER = tuple(OfferKind)


class BelowMinimum(ValueError):
    """Somebody wants to pay less than the least that a run takes."""

    def __init__(self, minimum: Money) -> None:
        super().__init__(str(minimum))
        self.minimum = minimum


@dataclass(frozen=True)
class Offer:
    """A reduction that a person has: `percent` (1..100) or `off`, never both.

    words: what its line says, such as the code of a voucher; JSON. key: finds it again.
    """

    kind: OfferKind
    percent: int | None = None
    off: Money | None = None
    is_stackable: bool = False
    words: Mapping[str, Any] = field(default_factory=dict)
    key: int | None = None

    def off_of(self, price: Money) -> Money:
        """What it takes off; never more than the price, a percentage rounded down.

        Raises CurrencyMismatch for a fixed amount in another currency.
        """
        if self.percent is not None:
            return Money(price.minor * self.percent // 100, price.currency)
        assert self.off is not None
        return price if price <= self.off else self.off


@dataclass(frozen=True)
class PayWhatYouCan:
    """The buyer chooses, in percent of what the price is for them. chosen: None, the suggestion."""

    minimum_percent: int
    suggested_percent: int = 100
    chosen: Money | None = None


@dataclass(frozen=True)
class Basket:
    """All that a price depends on; every amount is in the currency of the sale.

    tier_price: the stored amount of the buyer's tier, None where the list price holds. early_bird:
    the amount that holds for early buyers now. step: minor units to which a lowered price is
    rounded.
    """

    list_price: Money
    tier_price: Money | None = None
    early_bird: Money | None = None
    offers: Sequence[Offer] = ()
    pay_what_you_can: PayWhatYouCan | None = None
    floor_percent: int = 0
    step: int = 1
    list_words: Mapping[str, Any] = field(default_factory=dict)
    tier_words: Mapping[str, Any] = field(default_factory=dict)
    early_words: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One line of how a price came about."""

    kind: StepKind
    before: Money
    after: Money
    words: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Priced:
    """What a basket costs.

    price: of the tier or for early buyers, before reductions. total: what is to be paid. unused:
    the reductions that do not count, because another one gives more. minimum, suggested: what a
    buyer who chooses must and may pay; None where there is no choice.
    """

    price: Money
    total: Money
    steps: tuple[Step, ...]
    used: tuple[Offer, ...] = ()
    unused: tuple[Offer, ...] = ()
    minimum: Money | None = None
    suggested: Money | None = None

    @property
    def granted(self) -> Money:
        """What a scholarship pays in the buyer's place.

        Never more than it takes off, nor than what is missing to the price before it: who pays
        more by choice or by the floor spares the fund.
        """
        found = [step for step in self.steps if step.kind == StepKind.SCHOLARSHIP]
        minor = sum((step.before - step.after).minor for step in found)
        missing = (found[0].before - self.total).minor if found else 0
        return Money(max(0, min(minor, missing)), self.total.currency)


def price(basket: Basket) -> Priced:
    """What the basket costs, and why.

    Raises BelowMinimum, and CurrencyMismatch when not all is in the currency of the list price.
    """
    steps = [Step(StepKind.LIST, basket.list_price, basket.list_price, basket.list_words)]
    now = basket.list_price
    if basket.tier_price is not None:
        now = _go(steps, StepKind.TIER, now, basket.tier_price, basket.tier_words)
    if basket.early_bird is not None and basket.early_bird < now:
        now = _go(steps, StepKind.EARLY_BIRD, now, basket.early_bird, basket.early_words)
    full = now
    used = _best(basket.offers, full)
    for offer in used:
        now = _go(steps, StepKind(offer.kind), now, now - offer.off_of(now), offer.words)
    if now != full:
        now = _not_too_low(steps, basket, used, full, now)
    if now != full:
        now = _go(steps, StepKind.ROUNDING, now, _down(now, basket.step))
    unused = tuple(offer for offer in basket.offers if offer not in used)
    choice = basket.pay_what_you_can
    if choice is None or not now:
        return Priced(full, now, tuple(steps), used, unused)
    minimum = min(_up(_part(now, choice.minimum_percent), basket.step), now, key=_minor)
    suggested = max(_down(_part(now, choice.suggested_percent), basket.step), minimum, key=_minor)
    if choice.suggested_percent == 100:
        suggested = now
    chosen = suggested if choice.chosen is None else choice.chosen
    if chosen < minimum:
        raise BelowMinimum(minimum)
    total = _go(steps, StepKind.PAY_WHAT_YOU_CAN, now, chosen)
    return Priced(full, total, tuple(steps), used, unused, minimum, suggested)


def _go(
    steps: list[Step], kind: StepKind, before: Money, after: Money, words: Mapping[str, Any] = {}
) -> Money:
    if after.currency != before.currency:
        raise CurrencyMismatch(f"{before.currency} and {after.currency}")
    if after != before:
        steps.append(Step(kind, before, after, words))
    return after


def _best(offers: Sequence[Offer], full: Money) -> tuple[Offer, ...]:
    """The offers that together leave the least to pay, in order; the earlier ones on a draw."""
    ordered = sorted(offers, key=_place)
    together = [offer for offer in ordered if offer.is_stackable]
    singles = [offer for offer in ordered if not offer.is_stackable]
    ways = [[offer for offer in ordered if offer in together or offer is one] for one in singles]
    best = min(ways or [together], key=lambda way: _left(way, full))
    return tuple(_that_count(best, full))


def _place(offer: Offer) -> tuple[int, int, int]:
    """The order of the rules; of one kind percentages first, which is better for the buyer.

    Alike for each set of offers, so that a cent of rounding never hangs on who came first.
    """
    off = offer.off.minor if offer.off else 0
    return _ORDER.index(offer.kind), -(offer.percent or 0), -off


def _left(offers: Sequence[Offer], full: Money) -> int:
    for offer in offers:
        full -= offer.off_of(full)
    return full.minor


def _that_count(offers: Sequence[Offer], full: Money) -> Sequence[Offer]:
    """Without those that have nothing left to take off: they are not used up for nothing."""
    kept = []
    for offer in offers:
        less = full - offer.off_of(full)
        if less != full:
            kept.append(offer)
        full = less
    return kept


def _not_too_low(
    steps: list[Step], basket: Basket, used: Sequence[Offer], full: Money, now: Money
) -> Money:
    if any(offer.off_of(full) == full for offer in used):
        return now  # one reduction that covers all is meant to
    floor = min(_up(_part(full, basket.floor_percent), basket.step), full, key=_minor)
    return _go(steps, StepKind.FLOOR, now, max(now, floor, key=_minor))


def _minor(amount: Money) -> int:
    return amount.minor


def _part(amount: Money, percent: int) -> Money:
    return Money(-(-amount.minor * percent // 100), amount.currency)


def _down(amount: Money, step: int) -> Money:
    return Money(amount.minor - amount.minor % step, amount.currency)


def _up(amount: Money, step: int) -> Money:
    return Money(-(-amount.minor // step) * step, amount.currency)
