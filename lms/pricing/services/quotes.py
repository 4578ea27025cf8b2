"""What a buyer is shown, and the quote that holds them and us to it.

A page that shows a price changes nothing, so the quote goes into the form as a ticket: its uuid,
until when it holds, and a seal over all that was shown. When the order is placed, the price is made
again; only if the seal fits is the quote kept as a row and the order placed from it.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from babel.numbers import get_territory_currencies

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import CurrencyMismatch, Money
from lms.core.sealing import mac
from lms.core.settings import settings
from lms.core.site_settings import SettingsGroup, read
from lms.courses.models import CourseRun
from lms.pricing import queries
from lms.pricing.currencies import smallest_step
from lms.pricing.engine import (
    Basket,
    BelowMinimum,
    Offer,
    OfferKind,
    PayWhatYouCan,
    Priced,
    Step,
    price,
)
from lms.pricing.errors import AmountTooLow, QuoteChanged, QuoteExpired
from lms.pricing.income_groups import LIST_TIER
from lms.pricing.models import OrganisationContract, Quote, RunChoice, TierPrice
from lms.pricing.residence import Assessment, Residence, assess

HOLDS_FOR = timedelta(hours=24)
_PURPOSE = "price quote"


class PricingRules(SettingsGroup):
    """What holds for every price. floor_percent: reductions go no lower, but for free places."""

    name = "pricing"

    floor_percent: int = 0


@dataclass(frozen=True)
class Terms:
    """All that a price of a run depends on for one person, before reductions that are asked for.

    currencies: in which there is a price for this person, the best first. currency: the chosen one;
    None where no amount is stored: the price is on request. changes_at: when a stored amount begins
    or ends next.
    """

    run: CourseRun
    assessment: Assessment
    currencies: tuple[str, ...]
    currency: str | None
    has_list_price: bool  # in this currency; else the tier's amount stands in its place
    list_price: Money | None
    tier_price: Money | None
    early_bird: TierPrice | None
    contracts: tuple[OrganisationContract, ...]
    choice: RunChoice | None
    changes_at: datetime | None

    @property
    def refuses_payment(self) -> bool:
        """Whether money cannot be taken from the person's country."""
        return self.assessment.state == Residence.REFUSED


@dataclass(frozen=True)
class Calculation:
    """A price with the terms that it was made from."""

    terms: Terms
    priced: Priced

    @property
    def total(self) -> Money:
        """What is to be paid."""
        return self.priced.total

    @property
    def discount(self) -> Money:
        """What reductions take off; nothing where somebody chose to pay more."""
        less = self.priced.price - self.priced.total
        return Money(max(0, less.minor), less.currency)

    @property
    def amount(self) -> Money:
        """The price before reductions: total and discount together."""
        return self.total + self.discount

    def uses(self, kind: OfferKind) -> bool:
        """Whether a reduction of this kind counts."""
        return any(offer.kind == kind for offer in self.priced.used)


class PriceBook:
    """Amounts of some runs and what is known of one person: read once for a whole page."""

    def __init__(
        self,
        runs: Sequence[CourseRun],
        user: User | None,
        country: str | None = None,
        at: datetime | None = None,
    ) -> None:
        self.at = at or clock.now()
        ids = [run.id for run in runs]
        self._amounts = queries.amounts_of(ids, self.at) if ids else {}
        is_for_somebody = user is not None and bool(ids)
        self._choices = queries.choice_of(ids) if is_for_somebody else {}
        self._contracts = queries.contracts_of(user, queries.today()) if user is not None else ()
        country = country or (user.country if user else None)
        self._assessment = _assess(user, country, needs_tier=bool(self._amounts))

    def current(self, run: CourseRun) -> list[TierPrice]:
        """The amounts of a run that hold now."""
        return [row for row in self._amounts.get(run.id, ()) if row.holds_at(self.at)]

    def terms(self, run: CourseRun, currency: str | None = None) -> Terms:
        """The terms of one of the runs. currency: the wanted one, if there is a price in it."""
        current = self.current(run)
        regular = [row for row in current if not row.is_early_bird]
        seen = self._assessment
        if not regular and seen.state != Residence.REFUSED:  # everybody pays the list price
            seen = replace(seen, state=Residence.LIST, tier=LIST_TIER)
        amounts = {row.currency: row.amount for row in regular if row.tier == seen.tier}
        lists = {row.currency: row.amount for row in regular if row.tier == LIST_TIER}
        lists[run.price.currency] = run.price
        if seen.tier == LIST_TIER:
            amounts = lists
        currencies = _in_order(amounts, run.price.currency, seen.country)
        chosen = currency if currency in currencies else next(iter(currencies), None)
        early = [
            row
            for row in current
            if row.is_early_bird and row.tier == seen.tier and row.currency == chosen
        ]
        return Terms(
            run=run,
            assessment=seen,
            currencies=currencies,
            currency=chosen,
            has_list_price=chosen in lists,
            list_price=lists.get(chosen or "", amounts.get(chosen or "")),
            tier_price=amounts.get(chosen or ""),
            early_bird=min(early, key=lambda row: row.amount_minor, default=None),
            contracts=tuple(row for row in self._contracts if row.is_for(run)),
            choice=self._choices.get(run.id),
            changes_at=self._changes_at(run),
        )

    def lowest(self, run: CourseRun) -> Money:
        """The lowest price of the run in the currency of its list price."""
        here = [r.amount for r in self.current(run) if r.currency == run.price.currency]
        return min([run.price, *here], key=lambda amount: amount.minor)

    def _changes_at(self, run: CourseRun) -> datetime | None:
        edges = [
            edge
            for row in self._amounts.get(run.id, ())
            for edge in (row.valid_from, row.valid_until)
            if edge is not None and edge > self.at
        ]
        return min(edges, default=None)


def _assess(user: User | None, country: str | None, needs_tier: bool) -> Assessment:
    """Whose tier; where no run has amounts of tiers only whether anybody there can pay."""
    if country is None:
        return Assessment(Residence.LIST, LIST_TIER, None, LIST_TIER)
    declared = queries.tiers_of([country])[country]
    percents = {tier.name: tier.percent for tier in queries.tiers()} if needs_tier else {}
    is_lower = percents.get(declared.tier, 100) < 100
    facts = queries.facts_of(user) if user is not None and is_lower else ()
    of_facts = queries.tiers_of([fact.country for fact in facts]) if facts else {}
    return assess(
        country,
        declared.tier,
        declared.refuses_payment,
        facts,
        {code: one.tier for code, one in of_facts.items()},
        percents,
        LIST_TIER,
    )


def _in_order(
    amounts: Mapping[str, Money], list_currency: str, country: str | None
) -> tuple[str, ...]:
    """Currencies with an amount: that of the country first, then that of the list price."""
    known = get_territory_currencies(country) if country else []
    first = [*known, list_currency, *settings().currencies, *sorted(amounts)]
    return tuple(dict.fromkeys(code for code in first if code in amounts))


def calculate(
    terms: Terms, offers: Sequence[Offer] = (), chosen: Money | None = None
) -> Calculation:
    """The price on these terms. offers: reductions beside those of contracts, such as a voucher.

    chosen: what somebody wants to pay where people choose. Raises AmountTooLow, and QuoteChanged
    when `chosen` is in another currency. The terms must have a currency.
    """
    assert terms.list_price is not None
    assert terms.currency is not None
    if chosen is not None and chosen.currency != terms.currency:
        raise QuoteChanged
    seen, early = terms.assessment, terms.early_bird
    of_contracts = [
        Offer(
            OfferKind.CONTRACT,
            row.percent,
            row.off,
            row.is_stackable,
            {"organisation": dict(row.organisation.name)},
            row.id,
        )
        for row in terms.contracts
        if row.off is None or row.off.currency == terms.currency
    ]
    choice = terms.choice
    whose = {"tier": seen.tier, "country": seen.country}
    basket = Basket(
        list_price=terms.list_price,
        tier_price=terms.tier_price,
        early_bird=early.amount if early else None,
        offers=[*of_contracts, *offers],
        pay_what_you_can=PayWhatYouCan(choice.minimum_percent, choice.suggested_percent, chosen)
        if choice
        else None,
        floor_percent=read(PricingRules).floor_percent,
        step=smallest_step(terms.currency),
        list_words={} if terms.has_list_price else whose,
        tier_words=whose,
        early_words={"until": early.valid_until.isoformat(), "zone": terms.run.time_zone}
        if early and early.valid_until
        else {},
    )
    try:
        return Calculation(terms, price(basket))
    except BelowMinimum as refusal:
        raise AmountTooLow(refusal.minimum) from None
    except CurrencyMismatch:
        raise QuoteChanged from None


@dataclass(frozen=True)
class Ticket:
    """A quote as it travels in a form."""

    uuid: uuid.UUID
    expires_at: datetime
    seal: str

    def __str__(self) -> str:
        return f"{self.uuid}.{int(self.expires_at.timestamp())}.{self.seal}"


def make_ticket(calculation: Calculation, user: User | None) -> Ticket:
    """A quote for what is shown to this person now; None for who buys without an account."""
    now = clock.now()
    until = min(now + HOLDS_FOR, calculation.terms.changes_at or now + HOLDS_FOR)
    until = until.replace(microsecond=0)
    key = uuid.uuid4()
    return Ticket(key, until, _seal(key, until, calculation, user))


def check_ticket(text: str, calculation: Calculation, user: User | None) -> Ticket:
    """The ticket, when it is for just this price, run and person.

    Raises QuoteExpired or QuoteChanged.
    """
    try:
        key, until, seal = text.split(".")
        ticket = Ticket(
            uuid.UUID(key), datetime.fromtimestamp(int(until), clock.now().tzinfo), seal
        )
    except (ValueError, OverflowError, OSError):
        raise QuoteChanged from None
    if not hmac.compare_digest(seal, _seal(ticket.uuid, ticket.expires_at, calculation, user)):
        raise QuoteExpired if ticket.expires_at <= clock.now() else QuoteChanged
    if ticket.expires_at <= clock.now():
        raise QuoteExpired
    return ticket


def _seal(key: uuid.UUID, until: datetime, calculation: Calculation, user: User | None) -> str:
    terms, priced = calculation.terms, calculation.priced
    shown = [
        str(key),
        int(until.timestamp()),
        terms.run.id,
        user.id if user else 0,
        terms.assessment.country,
        terms.assessment.tier,
        terms.currency,
        priced.price.minor,
        priced.total.minor,
        steps_as_json(priced.steps),
    ]
    return mac(json.dumps(shown, sort_keys=True), _PURPOSE)[:40]


def steps_as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Steps as a quote keeps them: amounts in minor units of the quote's currency."""
    return [
        {
            "kind": str(step.kind),
            "before": step.before.minor,
            "after": step.after.minor,
            "words": dict(step.words),
        }
        for step in steps
    ]


def keep_quote(calculation: Calculation, user: User, ticket: Ticket | None = None) -> Quote:
    """The quote as a row; that of a ticket is kept once. The caller holds the lock of the run."""
    ticket = ticket or make_ticket(calculation, user)
    known = queries.find_quote(ticket.uuid)
    if known is not None:
        return known
    terms, priced = calculation.terms, calculation.priced
    quote = Quote(
        uuid=ticket.uuid,
        run_id=terms.run.id,
        user_id=user.id,
        country=terms.assessment.country,
        tier=terms.assessment.tier,
        currency=priced.total.currency,
        price_minor=priced.price.minor,
        total_minor=priced.total.minor,
        steps=steps_as_json(priced.steps),
        expires_at=ticket.expires_at,
    )
    db.session.add(quote)
    db.session.flush()
    return quote
