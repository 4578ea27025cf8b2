"""Whose tier: what a person declares, with one fact that agrees. No database
here.

The address of the connection is never asked, and nothing here is asked again after paying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lms.core.db import ByLanguage
from lms.core.registry import Registered


class Residence(StrEnum):
    """What a declared country means for the price."""

    LIST = "list"  # pays the list price anyway, or said no country
    AGREED = "agreed"  # a fact agrees: pays as the country does
    UNCONFIRMED = "unconfirmed"  # no fact agrees: list price, or a proof
    REFUSED = "refused"  # nobody there can pay


class FactKind(StrEnum):
    """What is known of where somebody lives."""

    INSTITUTION = "institution"
    PROOF = "proof"  # that an administrator accepted
    CARD = "card"  # with which the person paid before


@dataclass(frozen=True)
class Fact:
    """A country that something else than the person's word says."""

    kind: FactKind
    country: str
    name: ByLanguage | None = None  # of the institution


@dataclass(frozen=True)
class ResidenceSource:
    """Facts that another room knows. facts: of the user with an id."""

    name: str
    facts: Callable[[int], Iterable[Fact]]


residence_sources: Registered[ResidenceSource] = Registered("residence_sources", ResidenceSource)


@dataclass(frozen=True)
class Assessment:
    """Which tier a person pays in, and why."""

    state: Residence
    tier: str  # in which the person pays
    country: str | None
    country_tier: str  # of the declared country
    facts: tuple[Fact, ...] = ()


def assess(
    country: str | None,
    country_tier: str,
    is_refused: bool,
    facts: Sequence[Fact],
    tier_of: Mapping[str, str],
    percents: Mapping[str, int],
    list_tier: str,
) -> Assessment:
    """Which tier a person pays in.

    tier_of: country -> tier, for the countries of the facts. percents: tier -> percent. A fact
    agrees when it is of the same country, or of one where the price is not higher.
    """

    def given(state: Residence, tier: str) -> Assessment:
        return Assessment(state, tier, country, country_tier, tuple(facts))

    if is_refused:
        return given(Residence.REFUSED, list_tier)
    part = percents.get(country_tier, 100)
    if country is None or part >= 100:
        return given(Residence.LIST, country_tier)
    for fact in facts:
        if fact.country == country or percents.get(tier_of[fact.country], 100) <= part:
            return given(Residence.AGREED, country_tier)
    return given(Residence.UNCONFIRMED, list_tier)
