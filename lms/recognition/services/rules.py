"""Accreditations and rules. Both are added to, never rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.db import db
from lms.core.outbox import enqueue
from lms.courses.activity_types.base import activity_types
from lms.courses.models import Activity, Course, CourseCredit, PublicationState
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.errors import AlreadyWithdrawn, NumberTaken, RuleEnded, RuleGoesBack
from lms.recognition.judging import Learning, find_accreditation, judge
from lms.recognition.models import Accreditation, RecognitionRule, RuleVersion


def accredit(
    association: Organisation,
    actor: User,
    *,
    number: str,
    scope: str,
    starts_on: date,
    ends_on: date | None,
    provider: Organisation | None = None,
    course: Course | None = None,
) -> Accreditation:
    """Accredit a provider or a course. Raises NumberTaken."""
    made = Accreditation(
        association_id=association.id,
        number=number,
        scope=scope,
        starts_on=starts_on,
        ends_on=ends_on,
        provider_id=provider.id if provider else None,
        course_id=course.id if course else None,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise NumberTaken from None
    audit.record("recognition.accredit", made, actor.id, number=number)
    _tell_the_house(association)
    return made


def withdraw_accreditation(
    accreditation: Accreditation, actor: User, first_day: date, reason: str
) -> None:
    """It does not hold from a day on; awards before it keep it. Raises AlreadyWithdrawn."""
    if accreditation.withdrawn_on is not None:
        raise AlreadyWithdrawn
    accreditation.withdrawn_on = first_day
    accreditation.withdrawal_reason = reason or None
    audit.record(
        "recognition.withdraw_accreditation", accreditation, actor.id, from_day=str(first_day)
    )
    _tell_the_house(accreditation.association)


def make_rule(
    association: Organisation, actor: User, *, name: str, **terms: Any
) -> RecognitionRule:
    """A new rule. terms: the columns of its first version."""
    rule = RecognitionRule(association_id=association.id, name=name)
    rule.versions.append(RuleVersion(number=1, made_by_id=actor.id, **terms))
    db.session.add(rule)
    audit.record("recognition.make_rule", rule, actor.id)
    _tell_the_house(association)
    return rule


def change_rule(rule: RecognitionRule, actor: User, *, name: str, **terms: Any) -> RuleVersion:
    """A new version for awards from its first day on; what was credited stays as it is.

    Raises RuleEnded or RuleGoesBack.
    """
    if rule.ended_on is not None:
        raise RuleEnded
    if terms["starts_on"] < rule.newest.starts_on:
        raise RuleGoesBack
    rule.name = name
    version = RuleVersion(number=rule.newest.number + 1, made_by_id=actor.id, **terms)
    rule.versions.append(version)
    audit.record("recognition.change_rule", rule, actor.id, version=version.number)
    _tell_the_house(rule.association)
    return version


def end_rule(rule: RecognitionRule, actor: User, last_day: date) -> None:
    """Credit no award after a day. Raises RuleEnded."""
    if rule.ended_on is not None:
        raise RuleEnded
    rule.ended_on = last_day
    audit.record("recognition.end_rule", rule, actor.id, last_day=str(last_day))
    _tell_the_house(rule.association)


def _tell_the_house(association: Organisation) -> None:
    """What the catalogue says of credit follows at once; members' certificates by a job."""
    db.session.flush()
    refresh_course_credits(association)
    enqueue("recognition.credit_members", association_id=association.id)


def refresh_course_credits(association: Organisation) -> None:
    """Let the catalogue say what the association's rules credit today.

    Only for associations with rules: what others arranged with a course stays.
    """
    rules = queries.list_rules(association)
    if not rules:
        return
    accreditations = db.session.scalars(queries.list_accreditations(association)).all()
    courses = db.session.scalars(
        select(Course)
        .where(Course.state == PublicationState.PUBLISHED)
        .options(selectinload(Course.partners))
    ).all()
    known = {
        credit.course_id: credit
        for credit in db.session.scalars(
            select(CourseCredit).where(CourseCredit.organisation_id == association.id)
        )
    }
    graded = _graded_courses(courses)
    today = clock.now().date()
    wanted = set()
    for course in courses:
        learning = Learning(
            course.id,
            course.topic_id,
            frozenset({course.owner_id, *(partner.id for partner in course.partners)}),
            course.hours,
            course.id in graded,
            1.0,  # what a learner can reach
            today,
        )
        found = judge(rules, accreditations, learning)
        if found is None:
            continue
        wanted.add(course.id)
        held = find_accreditation(accreditations, learning)
        credit = known.get(course.id)
        if credit is None:
            credit = CourseCredit(course_id=course.id, organisation_id=association.id)
            db.session.add(credit)
        credit.hours = found.hours
        credit.reference = held.number if held else None
    for course_id, credit in known.items():
        if course_id not in wanted:
            db.session.delete(credit)
    db.session.flush()
    for course in courses:
        db.session.expire(course, ["credits"])


def _graded_courses(courses: Sequence[Course]) -> set[int]:
    graded = [name for name, kind in activity_types.items() if kind.is_graded]
    return set(
        db.session.scalars(
            select(Activity.course_id).where(
                Activity.course_id.in_([course.id for course in courses]),
                Activity.kind.in_(graded),
                Activity.is_required,
                Activity.is_published,
            )
        )
    )
