from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from lms.accounts.models import User
from lms.certificates.models import Credential
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Course
from lms.directory.models import AssociationMembership, Organisation
from lms.recognition import queries
from lms.recognition.models import (
    Accreditation,
    Assessor,
    BodyKey,
    Endorsement,
    EvidenceKind,
    MemberConsent,
    OfferedOutcome,
    OutcomeDecision,
    PriorLearningFee,
    PriorLearningOffer,
    PriorLearningRequest,
    RecognitionRule,
    RuleVersion,
    outcome_key,
)
from lms.recognition.services import body_keys, endorsements
from lms.recognition.services.prior_learning import assessing, fees, portfolio
from tests.factories.accounts import make_user
from tests.factories.certificates import make_completed_enrolment, make_credential
from tests.factories.courses import make_activity, make_course, make_module
from tests.factories.directory import make_association

_numbers = itertools.count(1)


def make_accreditation(association: Organisation, **values: Any) -> Accreditation:
    """In force since 2020; `provider` or `course` says for whom."""
    values.setdefault("number", f"A-{next(_numbers)}")
    values.setdefault("starts_on", date(2020, 1, 1))
    accreditation = Accreditation(association=association, **values)
    db.session.add(accreditation)
    db.session.commit()
    return accreditation


def make_rule(association: Organisation, **terms: Any) -> RecognitionRule:
    """A rule that credits every certificate with its own hours, since 2020."""
    terms.setdefault("starts_on", date(2020, 1, 1))
    rule = RecognitionRule(association=association, name=f"Rule {next(_numbers)}")
    rule.versions.append(RuleVersion(number=1, **terms))
    db.session.add(rule)
    db.session.commit()
    return rule


def make_membership(
    association: Organisation, user: User | None = None, number: str | None = "CP-1"
) -> AssociationMembership:
    membership = AssociationMembership(
        organisation=association, user=user or make_user(), number=number
    )
    db.session.add(membership)
    db.session.commit()
    return membership


def make_consent(
    association: Organisation, user: User | None = None, match: str = "match"
) -> MemberConsent:
    """A member whom the association knows and who lets it see certificates."""
    user = user or make_user()
    consent = MemberConsent(association=association, user=user, match=match)
    db.session.add(consent)
    db.session.commit()
    return consent


def make_member_with_certificate(
    association: Organisation | None = None, **values: Any
) -> Credential:
    """A certificate of somebody who belongs to the association and lets it see it."""
    association = association or make_association()
    user = values.pop("user", None) or make_user()
    make_membership(association, user)
    make_consent(association, user)
    return make_credential(make_completed_enrolment(user=user, **values))


PASSPHRASE = "cuatro ríos y un volcán"


def make_body_key(association: Organisation, officer: User | None = None) -> BodyKey:
    """The association's key, which opens with PASSPHRASE."""
    key = body_keys.make_key(association, officer or make_user(), PASSPHRASE)
    db.session.commit()
    return key


def make_endorsement(
    association: Organisation, subject: Course | Organisation, **values: Any
) -> Endorsement:
    """Signed with the association's key, which is made when there is none; without an end."""
    if not queries.list_body_keys(association):
        make_body_key(association)
    values = {
        "comment": "Meets our standard of continuing education.",
        "language": "en",
        "first_day": date(2020, 1, 1),
        "last_day": None,
        "passphrase": PASSPHRASE,
    } | values
    made = endorsements.endorse(association, make_user(), subject, **values)
    db.session.commit()
    return made


def make_offer(course: Course | None = None, **values: Any) -> PriorLearningOffer:
    """A course that recognises prior learning: three hours an outcome, an activity each."""
    course = course or make_course(
        outcomes=[{"en": "Map actors"}, {"en": "Lead a meeting"}], minimum_grade=None
    )
    if not course.modules:
        module = make_module(course)
        for _outcome in course.outcomes:
            make_activity(module)
    activities = [activity for module in course.modules for activity in module.activities]
    offer = PriorLearningOffer(course=course, **values)
    offer.outcomes.extend(
        OfferedOutcome(
            position=place, key=outcome_key(text), hours=3.0, activities=[str(activity.uuid)]
        )
        for place, (text, activity) in enumerate(zip(course.outcomes, activities, strict=False), 1)
    )
    db.session.add(offer)
    db.session.commit()
    return offer


def make_fee(
    course: Course, tiers: dict[str, dict[str, int]] | None = None, **minor: int
) -> PriorLearningFee:
    """Since 2020; minor: what everybody pays, by currency. tiers: the same for some."""
    each = {"": minor} | (tiers or {})
    amounts = {
        tier: {code: Money(cents, code) for code, cents in of_tier.items()}
        for tier, of_tier in each.items()
    }
    fee = fees.set_fee(course, make_user(), amounts, date(2020, 1, 1))
    db.session.commit()
    return fee


def make_request(
    user: User | None = None, offer: PriorLearningOffer | None = None, *, shows: int = 2
) -> PriorLearningRequest:
    """A draft with a link; shows: of how many outcomes it is evidence."""
    request = portfolio.open_request((offer or make_offer()).course, user or make_user())
    values = {"link": "https://example.org/work", "seen_on": date(2026, 11, 2)}
    claims = {one.id: "I did this for years." for one in request.outcomes[:shows]}
    link = portfolio.Evidence(EvidenceKind.LINK, "A plan of mine", values)
    portfolio.add_evidence(request, request.user, link, claims)
    db.session.commit()
    return request


def make_assessed(
    request: PriorLearningRequest | None = None, assessor: User | None = None
) -> Assessor:
    """A request that is with an assessor who has declared to be independent."""
    request = request or make_request()
    if request.state == "draft":
        portfolio.hand_in(request, request.user)
    named = assessing.name_assessor(request, assessor or make_user(), make_user())
    assessing.declare(named, conflict="")
    db.session.commit()
    return named


def make_decision(assessor: Assessor, *decisions: str) -> PriorLearningRequest:
    """The assessor decides in the order of the outcomes: "granted", "not_granted", "more_asked"."""
    outcomes = assessing.outcomes_to_decide(assessor.request)
    made = {
        outcome.id: assessing.Decision(OutcomeDecision(decision), f"Because of {decision}.")
        for outcome, decision in zip(outcomes, decisions, strict=True)
    }
    assessing.decide(assessor, made, {})
    db.session.commit()
    return assessor.request
