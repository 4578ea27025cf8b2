"""What the organisation of a course says of recognising prior learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lms.accounts.models import User
from lms.core import audit
from lms.core.db import db
from lms.courses.models import Course
from lms.recognition import queries
from lms.recognition.errors import HoursTooMany
from lms.recognition.models import OfferedOutcome, PriorLearningOffer, outcome_key


@dataclass(frozen=True)
class OutcomeTerms:
    """What is waived when an outcome is granted: hours, and activities by UUID."""

    hours: float
    activities: list[str]


def keep_offer(
    course: Course,
    actor: User,
    *,
    is_open: bool,
    guidance: str,
    language: str,
    decide_days: int,
    appeal_days: int,
    keep_months: int,
    outcomes: Sequence[OutcomeTerms],
) -> PriorLearningOffer:
    """Say how the course recognises prior learning; requests that are open keep what held then.

    outcomes: one for each outcome of the course, in its order. Raises HoursTooMany.
    """
    if sum(one.hours for one in outcomes) > course.hours + 1e-9:
        raise HoursTooMany
    offer = queries.find_offer(course)
    if offer is None:
        offer = PriorLearningOffer(course=course)
        db.session.add(offer)
    offer.is_open = is_open
    offer.guidance = (
        {**offer.guidance, language: guidance} if offer.guidance else {language: guidance}
    )
    offer.decide_days = decide_days
    offer.appeal_days = appeal_days
    offer.keep_months = keep_months
    offer.outcomes.clear()
    db.session.flush()
    known = {str(a.uuid) for module in course.modules for a in module.activities}
    offer.outcomes.extend(
        OfferedOutcome(
            position=position,
            key=outcome_key(text),
            hours=one.hours,
            activities=[name for name in one.activities if name in known],
        )
        for position, (one, text) in enumerate(zip(outcomes, course.outcomes, strict=False), 1)
    )
    audit.record("recognition.keep_offer", course, actor.id, is_open=is_open)
    return offer
