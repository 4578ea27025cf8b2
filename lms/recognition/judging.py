"""Which rule of an association credits which learning: pure judgement, no database.

An award is judged by what held on its own day: the version of the rule, the accreditation of
provider or course. What comes later changes nothing about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from lms.recognition.models import Accreditation, RecognitionRule, RuleVersion


@dataclass(frozen=True)
class Learning:
    """What is judged. grade: 0..1 or None."""

    course_id: int
    topic_id: int | None
    provider_ids: frozenset[int]
    hours: float
    is_assessed: bool
    grade: float | None
    awarded_on: date


@dataclass(frozen=True)
class Judgement:
    """The version that credits, for how many hours, and the accreditation that held."""

    version: RuleVersion
    hours: float
    accreditation: Accreditation | None


def find_accreditation(
    accreditations: Sequence[Accreditation], learning: Learning
) -> Accreditation | None:
    """What held on the day of the award; that of the course goes before that of a provider."""
    held = [
        one
        for one in accreditations
        if one.covers(learning.course_id, set(learning.provider_ids))
        and one.held_on(learning.awarded_on)
    ]
    return min(held, key=lambda one: (one.course_id is None, one.id), default=None)


def judge(
    rules: Sequence[RecognitionRule],
    accreditations: Sequence[Accreditation],
    learning: Learning,
) -> Judgement | None:
    """The rule that credits the most hours; of equals the oldest. None: nothing is credited."""
    accreditation = find_accreditation(accreditations, learning)
    found = [
        Judgement(version, version.hours or learning.hours, accreditation)
        for rule in rules
        if (version := rule.version_on(learning.awarded_on)) is not None
        and fits(version, learning, is_accredited=accreditation is not None)
    ]
    return min(found, key=lambda one: (-one.hours, one.version.rule_id), default=None)


def fits(version: RuleVersion, learning: Learning, *, is_accredited: bool) -> bool:
    """Whether the learning meets every condition of the version."""
    grade = learning.grade if learning.grade is not None else 0.0
    return (
        version.topic_id in (None, learning.topic_id)
        and version.course_id in (None, learning.course_id)
        and (version.provider_id is None or version.provider_id in learning.provider_ids)
        and learning.hours >= (version.minimum_hours or 0.0)
        and (version.minimum_grade is None or grade >= version.minimum_grade - 1e-9)
        and (learning.is_assessed or not version.needs_assessment)
        and (is_accredited or not version.needs_accreditation)
    )
