"""Tax as a pure function of dated rules: nothing here knows a database, a clock or a request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from lms.core.money import Money

WHOLE = 100_000  # thousandths of a percent in the whole


class Category(StrEnum):
    """Category of a tax (EN 16931 BT-151, codes of UNTDID 5305)."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    EXPORT = "G"
    OUTSIDE = "O"  # outside the scope of tax

    @property
    def has_rate(self) -> bool:
        """Whether the rate is above zero: of S alone (EN 16931 BR-S-05, BR-Z-05, BR-E-05 ...)."""
        return self is Category.STANDARD

    @property
    def needs_reason(self) -> bool:
        """Whether the invoice says why there is no tax (EN 16931 BR-E-10, BR-G-10, BR-O-10)."""
        return self not in (Category.STANDARD, Category.ZERO)


class BuyerKind(StrEnum):
    """Who buys."""

    CONSUMER = "consumer"
    ORGANISATION = "organisation"


class SupplyKind(StrEnum):
    """What is sold."""

    COURSE = "course"
    PUBLICATION = "publication"
    FEE = "fee"


class Fact(StrEnum):
    """What a rule may ask of a sale before it holds."""

    CAN_BE_FAILED = "can_be_failed"  # the course ends in a certificate and can be failed


@dataclass(frozen=True)
class Place:
    """A country (ISO 3166-1 alpha-2) and its province; "" for the whole of it, or for anywhere."""

    country: str = ""
    province: str = ""


NOWHERE = Place()


@dataclass(frozen=True)
class TaxRule:
    """One tax on sales to a place, from a day to a day (None: until further notice).

    rate: in thousandths of a percent, so that 9.975 % is 9,975. supply, buyer: "" for any.
    """

    jurisdiction: str
    rate: int
    category: str
    starts_on: date
    ends_on: date | None = None
    place: Place = NOWHERE
    supply: str = ""
    buyer: str = ""
    requires: str = ""  # a Fact
    name: dict[str, str] = field(default_factory=dict, hash=False)
    reason: dict[str, str] = field(default_factory=dict, hash=False)
    key: int | None = None  # of the row

    @property
    def percent(self) -> Decimal:
        """The rate in percent."""
        return Decimal(self.rate) / 1000

    def covers(self, day: date) -> bool:
        """Whether it holds on this day."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True)
class TaxLine:
    """What one rule asks for on one amount."""

    rule: TaxRule
    base: Money
    amount: Money


@dataclass(frozen=True)
class Taxed:
    """An amount with its tax: `net` and the amounts of `lines` sum to `gross`, always."""

    net: Money
    gross: Money
    lines: tuple[TaxLine, ...]

    @property
    def tax(self) -> Money:
        """All tax."""
        return self.gross - self.net


class NoRule(LookupError):
    """No rule covers a sale: `place` and `day` say which."""

    def __init__(self, place: Place, day: date) -> None:
        super().__init__(f"{place.country}-{place.province} {day.isoformat()}")
        self.place, self.day = place, day


def rules_for(
    rules: Iterable[TaxRule],
    *,
    day: date,
    place: Place,
    buyer: str,
    supply: str,
    facts: Collection[str] = (),
    home: Place = NOWHERE,
) -> tuple[TaxRule, ...]:
    """The rules that tax a sale: those of the place that is told most closely.

    A province goes before its country, a country before anywhere, then a supply and a buyer that
    are named before any. A rule that requires a fact which the sale lacks sends the sale home: it
    is taxed as a sale in the seller's own place. Raises NoRule, also when a place that has rules of
    its own has none on this day.
    """
    rules = list(rules)
    fitting = [
        rule
        for rule in rules
        if rule.place in (place, Place(place.country), NOWHERE)
        and rule.supply in ("", supply)
        and rule.buyer in ("", buyer)
    ]
    if not fitting:
        raise NoRule(place, day)
    closest = max(_closeness(rule) for rule in fitting)
    found = [rule for rule in fitting if _closeness(rule) == closest and rule.covers(day)]
    if not found:
        raise NoRule(place, day)
    if any(rule.requires and rule.requires not in facts for rule in found):
        if place == home:
            raise NoRule(place, day)
        return rules_for(
            rules, day=day, place=home, buyer=buyer, supply=supply, facts=facts, home=home
        )
    return tuple(sorted(found, key=lambda rule: (rule.jurisdiction, rule.starts_on)))


def _closeness(rule: TaxRule) -> tuple[bool, bool, bool, bool]:
    return bool(rule.place.province), bool(rule.place.country), bool(rule.supply), bool(rule.buyer)


def tax(rules: Sequence[TaxRule], amount: Money, *, is_gross: bool = True) -> Taxed:
    """Tax an amount, which holds the tax already or comes without it.

    Each tax is on the net amount. Of a gross amount the net is rounded half up and the tax is the
    rest, divided so that each tax is within one minor unit of its rate.
    """
    if amount.minor < 0:
        raise ValueError("an amount to be taxed is not negative")
    currency, total = amount.currency, sum(rule.rate for rule in rules)
    if is_gross:
        net = _half_up(Fraction(amount.minor * WHOLE, WHOLE + total))
        taxes = _divide(amount.minor - net, [Fraction(net * rule.rate, WHOLE) for rule in rules])
    else:
        net = amount.minor
        taxes = [_half_up(Fraction(net * rule.rate, WHOLE)) for rule in rules]
    lines = tuple(
        TaxLine(rule, Money(net, currency), Money(minor, currency))
        for rule, minor in zip(rules, taxes, strict=True)
    )
    return Taxed(Money(net, currency), Money(net + sum(taxes), currency), lines)


def _half_up(exact: Fraction) -> int:
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def _divide(total: int, exact: list[Fraction]) -> list[int]:
    """Whole numbers near to `exact` that sum to `total`: the largest fractions are rounded up."""
    parts = [one.numerator // one.denominator for one in exact]
    order = sorted(range(len(exact)), key=lambda at: (parts[at] - exact[at], -exact[at], at))
    for at in order[: max(0, total - sum(parts))]:
        parts[at] += 1
    return parts


def share_of(parts: Sequence[int], amount: int) -> list[int]:
    """Take `amount` out of `parts` in proportion: exact in sum, and never more than each holds."""
    total = sum(parts)
    if not 0 <= amount <= total:
        raise ValueError("a share is taken out of what is there")
    if not total:
        return [0 for _part in parts]
    return _divide(amount, [Fraction(part * amount, total) for part in parts])
