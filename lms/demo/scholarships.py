"""A fund that a donor paid into: one award used, one waiting for its learner, one application."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.payments.services.orders import place_order
from lms.scholarships.criteria import Criteria
from lms.scholarships.models import Fund
from lms.scholarships.queries import today
from lms.scholarships.services import applications
from lms.scholarships.services.funds import FundTerms, make_fund, pay_in

KEY = "bridge-of-ropes"
PEOPLE = (
    ("I look after the irrigation canals of eleven communities near Oruro.", 100),
    ("I advise neighbours’ groups in Oaxaca on land rights, mostly unpaid.", 50),
    ("I coordinate three village councils in Alta Verapaz and want to plan with them.", 100),
)


def ensure_scholarships(run: CourseRun, cohort: list[User], administrator: User) -> None:
    """Three of the cohort apply to the fund, unless it is there already."""
    if db.session.scalar(select(Fund.id).where(Fund.key == KEY)) is not None:
        return
    first_day = today() - timedelta(days=20)
    terms = FundTerms(
        name={
            "en": "Bridge of Ropes Fund",
            "es": "Fondo Puente de Cuerdas",
            "fr": "Fonds Pont de cordes",
            "pt": "Fundo Ponte de Cordas",
        },
        description={
            "en": "For people who plan with their communities in Latin America.",
            "es": "Para personas que planifican con sus comunidades en América Latina.",
            "fr": "Pour les personnes qui planifient avec leurs communautés en Amérique latine.",
            "pt": "Para pessoas que planejam com as suas comunidades na América Latina.",
        },
        donor="Friends of the Andes, Ottawa",
        shows_donor=True,
        criteria=Criteria(tiers=("upper_middle", "lower_middle", "low")),
        percents=(50, 75, 100),
        opens_on=first_day,
    )
    fund = make_fund(KEY, "CAD", terms, administrator)
    pay_in(fund, Money(150_000, "CAD"), first_day, "Transfer 2207-118", administrator)
    asked = [
        applications.apply(run, user, fund, percent, words)
        for user, (words, percent) in zip(cohort, PEOPLE, strict=False)
    ]
    last_day = min(today() + timedelta(days=30), run.ends_on)
    for application, (_words, percent) in list(zip(asked, PEOPLE, strict=True))[:2]:
        applications.award(application, percent, last_day, "", administrator)
    user = cohort[0]
    place_order(run, user, None, country=user.country, language=user.language or "en")
