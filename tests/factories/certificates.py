from __future__ import annotations

from datetime import datetime
from typing import Any

from lms.accounts.models import User
from lms.certificates.models import Credential
from lms.certificates.services.issue import issue_for_completion
from lms.core import clock
from lms.core.db import db
from lms.courses.models import Course, CourseCredit, CourseRun, Enrolment
from tests.factories.accounts import make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_module,
    make_run,
)
from tests.factories.directory import make_association, make_organisation

# as recognition gives it to the register's entry
ACCREDITATION = {
    "uuid": "0b8f6d0e-6f5e-4f6e-9f5e-3b0f6d0e6f5e",
    "association": {
        "uuid": "1b8f6d0e-6f5e-4f6e-9f5e-3b0f6d0e6f5e",
        "name": {"en": "Order of Planners", "es": "Orden de Planificadores"},
    },
    "number": "OP-77",
    "scope": "Planning",
    "starts_on": "2027-01-01",
    "ends_on": None,
}


def make_certified_course(**values: Any) -> Course:
    """A course with all that a certificate shows: partner, credit, outcomes, signatories."""
    owner = make_organisation(
        name={
            "en": "Andean Centre",
            "es": "Centro Andino",
            "fr": "Centre andin",
            "pt": "Centro Andino",
        }
    )
    partner = make_organisation(name={"en": "Laurentian Institute", "fr": "Institut laurentien"})
    defaults: dict[str, Any] = {
        "owner": owner,
        "title": {
            "en": "Tools for community planning",
            "es": "Herramientas para la planificación comunitaria",
            "fr": "Outils de planification communautaire",
            "pt": "Ferramentas para o planejamento comunitário",
        },
        "outcomes": [
            {"en": "Map the actors of a territory", "es": "Mapear los actores de un territorio"},
            {"en": "Design a facilitated decision", "es": "Diseñar una decisión facilitada"},
            {"en": "Choose indicators to follow up", "es": "Elegir indicadores de seguimiento"},
        ],
        "signatories": [
            {
                "name": "Rosa Quispe Mamani",
                "role": {"en": "Academic coordinator", "es": "Coordinadora académica"},
                "organisation": owner.slug,
            },
            {
                "name": "Margaret Leclerc",
                "role": {"en": "Director of continuing education"},
                "organisation": partner.slug,
            },
        ],
        "minimum_grade": 0.6,
    }
    course = make_course(**(defaults | values))
    course.partners = [partner]
    association = make_association(
        name={"en": "Order of Planners", "es": "Orden de Planificadores"}
    )
    db.session.add(
        CourseCredit(course=course, organisation=association, hours=10.0, reference="OP-2027-3")
    )
    db.session.commit()
    make_activity(make_module(course))
    return course


def make_completed_enrolment(
    run: CourseRun | None = None, user: User | None = None, **values: Any
) -> Enrolment:
    """An enrolment whose course is completed, without certificate."""
    values.setdefault("grade", 0.86)
    return make_enrolment(
        run or make_run(make_certified_course()),
        user or make_user(name="Rosa Quispe Mamani"),
        state="completed",
        completed_at=clock.now(),
        **values,
    )


def make_credential(
    enrolment: Enrolment | None = None,
    *,
    valid_until: datetime | None = None,
    **values: Any,
) -> Credential:
    """An issued certificate; values as for `make_completed_enrolment`."""
    enrolment = enrolment or make_completed_enrolment(**values)
    credential = issue_for_completion(enrolment, valid_until)
    db.session.commit()
    return credential
