"""Adding up the hours ledger, cycle by cycle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from lms.recognition.models import BodySettings, CreditEntry, EntryState


@dataclass
class Line:
    """An entry and how many of its hours count in its cycle."""

    entry: CreditEntry
    counted: float


@dataclass
class Cycle:
    """One renewal cycle: its entries, and what they sum up to."""

    first: date
    last: date
    needed: float | None
    lines: list[Line] = field(default_factory=list)

    @property
    def total(self) -> float:
        """The hours that count."""
        return sum(line.counted for line in self.lines)

    @property
    def missing(self) -> float:
        """How many hours are still to come."""
        return max(0.0, (self.needed or 0.0) - self.total)

    @property
    def by_category(self) -> dict[str, float]:
        """The hours that count, by category."""
        found: dict[str, float] = defaultdict(float)
        for line in self.lines:
            if line.counted:
                found[line.entry.category] += line.counted
        return dict(sorted(found.items()))


def cycles_of(settings: BodySettings, entries: Iterable[CreditEntry], today: date) -> list[Cycle]:
    """The cycles that have entries, and the present one; the newest first.

    A rule's ceiling holds within a cycle: what was awarded first counts first.
    """
    found: dict[date, Cycle] = {}

    def cycle(day: date) -> Cycle:
        first, last = settings.cycle_of(day)
        return found.setdefault(first, Cycle(first, last, settings.hours_needed))

    cycle(today)
    counted: dict[tuple[date, int], float] = defaultdict(float)
    for entry in sorted(entries, key=lambda one: (one.awarded_on, one.id)):
        its = cycle(entry.awarded_on)
        hours = entry.hours if entry.state == EntryState.CREDITED else 0.0
        version = entry.rule_version
        if hours and version is not None and version.most_hours is not None:
            place = (its.first, version.rule_id)
            hours = max(0.0, min(hours, version.most_hours - counted[place]))
            counted[place] += hours
        its.lines.append(Line(entry, hours))
    for one in found.values():
        one.lines.reverse()
    return sorted(found.values(), key=lambda one: one.first, reverse=True)
