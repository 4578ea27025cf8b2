"""Who may ask a fund, and for what. Pure: data and the one function that checks them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Criterion(StrEnum):
    """What a fund can ask of an application."""

    COUNTRY = "countries"
    TIER = "tiers"
    ORGANISATION = "organisations"
    COURSE = "courses"
    HOURS = "least_hours"


@dataclass(frozen=True)
class Criteria:
    """All that is said must hold; an empty list says nothing.

    countries: ISO 3166-1 alpha-2, as the learner declared. tiers: of that country. organisations:
    ids; the learner has a role in one. courses and runs: ids; the run is one of these, or of one of
    these courses. least_hours: of work in the course.
    """

    countries: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    organisations: tuple[int, ...] = ()
    courses: tuple[int, ...] = ()
    runs: tuple[int, ...] = ()
    least_hours: int = 0

    @staticmethod
    def of(kept: Mapping[str, Any]) -> Criteria:
        """The criteria from JSON."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()
        }
        return Criteria(**values)

    def as_json(self) -> dict[str, Any]:
        """The criteria as JSON, without what says nothing."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value
        }


@dataclass(frozen=True)
class Facts:
    """What is known of a learner and a run."""

    country: str | None
    tier: str | None
    organisations: Collection[int]
    course: int
    run: int
    hours: float


def unmet(criteria: Criteria, facts: Facts) -> list[Criterion]:
    """The criteria that do not hold; nothing when the learner may apply."""
    found = []
    if criteria.countries and facts.country not in criteria.countries:
        found.append(Criterion.COUNTRY)
    if criteria.tiers and facts.tier not in criteria.tiers:
        found.append(Criterion.TIER)
    if criteria.organisations and not set(criteria.organisations) & set(facts.organisations):
        found.append(Criterion.ORGANISATION)
    is_named = facts.course in criteria.courses or facts.run in criteria.runs
    if (criteria.courses or criteria.runs) and not is_named:
        found.append(Criterion.COURSE)
    if facts.hours < criteria.least_hours:
        found.append(Criterion.HOURS)
    return found
