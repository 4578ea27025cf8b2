"""The demo's requests for prior learning: one that is decided, one that waits for its assessor."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Course
from lms.pricing.income_groups import IncomeGroup
from lms.recognition import queries
from lms.recognition.models import (
    EVERYBODY,
    EvidenceKind,
    OutcomeDecision,
    PriorLearningRequest,
    RequestedOutcome,
)
from lms.recognition.services.prior_learning import assessing, fees, offers, portfolio

GUIDANCE = {
    "es": "Convencen un plan, un acta o un mapa que usted hizo, y quien pueda confirmarlo.",
    "en": "A plan, minutes or a map that you made convince, and somebody who can confirm it.",
}
PLAN = (
    "Plan de facilitación\n\nReunión de la junta vecinal, 90 minutos. 0-10: acuerdos."
    " 10-50: mapa de actores. 50-80: prioridades con puntaje. 80-90: acta.\n"
)


def ensure_prior_learning(
    courses: list[Course], manager: User, assessor: User, decided: User, waiting: User
) -> None:
    """What the courses offer, and two requests for the last; left as it is when there is one."""
    for course in courses:
        if queries.find_offer(course) is None:
            _offer(course, manager)
    course = courses[-1]
    if db.session.scalar(select(PriorLearningRequest.id).limit(1)) is not None:
        return
    _decide(_hand_in(course, decided), manager, assessor)
    assessing.name_assessor(_hand_in(course, waiting), assessor, manager)
    _ask_a_fee(course, manager)


def _ask_a_fee(course: Course, manager: User) -> None:
    """For requests to come; those that were handed in above have none."""
    amounts = {
        EVERYBODY: {"CAD": Money(4_500, "CAD"), "USD": Money(3_500, "USD")},
        IncomeGroup.LOWER_MIDDLE: {"BOB": Money(7_000, "BOB"), "USD": Money(1_000, "USD")},
        IncomeGroup.LOW: {"USD": Money(0, "USD")},
    }
    fees.set_fee(course, manager, amounts, fees.today())


def _offer(course: Course, manager: User) -> None:
    pages = [
        activity
        for module in course.modules
        for activity in module.activities
        if activity.kind == "page" and activity.is_required
    ]
    terms = [
        offers.OutcomeTerms(round(course.hours / 10, 1), [str(pages[place].uuid)])
        for place in range(min(len(course.outcomes), len(pages)))
    ]
    for language, text in GUIDANCE.items():
        offers.keep_offer(
            course,
            manager,
            is_open=True,
            guidance=text,
            language=language,
            decide_days=30,
            appeal_days=30,
            keep_months=24,
            outcomes=terms,
        )


def _hand_in(course: Course, user: User) -> PriorLearningRequest:
    request = portfolio.open_request(course, user)
    first, second, *_others = request.outcomes
    _add(
        request,
        EvidenceKind.FILE,
        "Plan de facilitación de una junta vecinal",
        {second: "Lo escribí y lo llevé a cabo; el mapa de actores está en la segunda parte."},
        file=(PLAN.encode(), "plan-de-facilitacion.txt"),
    )
    _add(
        request,
        EvidenceKind.EMPLOYER,
        "Tres años en el municipio",
        {first: "Convoqué las reuniones del presupuesto participativo y expliqué sus límites."},
        employer="Gobierno Autónomo Municipal",
        role="Responsable de participación",
        starts_on=date(2022, 2, 1),
        ends_on=date(2025, 1, 31),
        contact_name="Carmen Flores",
        contact_email="carmen.flores@example.org",
    )
    _add(
        request,
        EvidenceKind.LINK,
        "Acta publicada",
        {second: "El acta muestra quién estuvo y quién faltó."},
        link="https://example.org/acta",
        seen_on=clock.now().date(),
    )
    portfolio.hand_in(request, user)
    return request


def _add(
    request: PriorLearningRequest,
    kind: EvidenceKind,
    title: str,
    words: dict[RequestedOutcome, str],
    file: tuple[bytes, str] | None = None,
    **values: Any,
) -> None:
    evidence = portfolio.Evidence(kind, title, values, file)
    claims = {outcome.id: text for outcome, text in words.items()}
    portfolio.add_evidence(request, request.user, evidence, claims)


def _decide(request: PriorLearningRequest, manager: User, assessor: User) -> None:
    named = assessing.name_assessor(request, assessor, manager)
    assessing.declare(named, conflict="")
    first, second = assessing.outcomes_to_decide(request)
    assessing.decide(
        named,
        {
            first.id: assessing.Decision(
                OutcomeDecision.NOT_GRANTED,
                "La constancia dice que convocó reuniones, pero no muestra cómo explicó sus"
                " límites.",
            ),
            second.id: assessing.Decision(
                OutcomeDecision.GRANTED,
                "El plan contiene un mapa completo de actores, con quienes faltaban.",
            ),
        },
        {},
    )
