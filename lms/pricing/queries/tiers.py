"""Reads of tiers and exceptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, or_, select

from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.settings import settings
from lms.pricing.income_groups import LIST_TIER, income_groups
from lms.pricing.models import PriceException, PriceTier


def today() -> date:
    """The day on which exceptions are looked at: where the site is at home."""
    return clock.local_date(clock.now(), settings().default_time_zone)


def tiers() -> Sequence[PriceTier]:
    """All tiers, the dearest first."""
    return db.session.scalars(select(PriceTier).order_by(PriceTier.position)).all()


def list_exceptions() -> Select[PriceException]:
    """All exceptions, those that ended too."""
    return select(PriceException).order_by(PriceException.country, PriceException.valid_from)


def exceptions_on(day: date) -> Sequence[PriceException]:
    """The exceptions that hold on this day."""
    return db.session.scalars(
        list_exceptions().where(
            PriceException.valid_from <= day,
            or_(PriceException.valid_until.is_(None), PriceException.valid_until >= day),
        )
    ).all()


def get_exception(exception_id: int) -> PriceException:
    """The exception with this id. Raises NotFound."""
    found = db.session.get(PriceException, exception_id)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Policy:
    """Which countries pay what, on one day: all that the price page shows."""

    tiers: Sequence[PriceTier]
    countries: dict[str, list[str]]  # tier -> ISO 3166-1 codes, without those that cannot pay
    exceptions: Sequence[PriceException]


@dataclass(frozen=True)
class CountryTier:
    """The tier of a country, and the exception that says so, if one does."""

    tier: str
    exception: PriceException | None = None

    @property
    def refuses_payment(self) -> bool:
        """Whether money cannot be taken from there at all."""
        return self.exception is not None and self.exception.refuses_payment


def refuses_payment(country: str | None) -> bool:
    """Whether money cannot be taken from there at all."""
    return country is not None and tiers_of([country])[country].refuses_payment


def policy(day: date | None = None) -> Policy:
    """Tiers, countries and exceptions of one day; today when None."""
    exceptions = exceptions_on(day or today())
    of_country: dict[str, str | None] = dict(income_groups())
    of_country |= {one.country: one.tier for one in exceptions}
    countries: dict[str, list[str]] = defaultdict(list)
    for country, tier in of_country.items():
        if tier is not None:
            countries[tier].append(country)
    return Policy(tiers(), dict(countries), exceptions)


def tiers_of(countries: Sequence[str], day: date | None = None) -> dict[str, CountryTier]:
    """The tier of each country: by exception, else by income group, else that of the list price."""
    day = day or today()
    found = db.session.scalars(
        select(PriceException).where(
            PriceException.country.in_(countries),
            PriceException.valid_from <= day,
            or_(PriceException.valid_until.is_(None), PriceException.valid_until >= day),
        )
    )
    exceptions = {one.country: one for one in found}
    return {
        country: CountryTier(
            (exceptions[country].tier or LIST_TIER)
            if country in exceptions
            else income_groups().get(country, LIST_TIER),
            exceptions.get(country),
        )
        for country in countries
    }
