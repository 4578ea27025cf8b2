"""What is printed has every letter, and says who accredits, who helps and who signs."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from lms.certificates import facts as register
from lms.certificates import queries
from lms.certificates.errors import TextCannotBeSet
from lms.certificates.open_badge import make_document
from lms.certificates.printed import describe_gaps
from lms.core.db import db
from lms.courses.models import EnrolmentState
from lms.courses.services import progress
from lms.notifications.models import Notice
from tests.certificates.test_peers import problems
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import (
    ACCREDITATION,
    make_certified_course,
    make_completed_enrolment,
    make_credential,
)
from tests.factories.courses import make_enrolment, make_run
from tests.factories.directory import make_organisation

NO_FONT = "\U00016a60"  # Mro


@pytest.mark.parametrize(
    "values",
    [
        {"title": {"en": f"Tools {NO_FONT}"}},
        {"outcomes": [{"en": "Map", "fr": f"Cartographier {NO_FONT}"}]},
        {"signatories": [{"name": f"Rosa {NO_FONT}", "role": {"en": "Director"}}]},
        {"owner": make_organisation},
    ],
)
def test_no_certificate_is_issued_with_a_text_that_cannot_be_printed(app, values):
    if "owner" in values:
        values = {"owner": make_organisation(name={"en": f"Institute {NO_FONT}"})}
    course = make_certified_course(**{"signatories": []} | values)

    with pytest.raises(TextCannotBeSet) as refusal:
        make_credential(make_completed_enrolment(make_run(course)))

    assert "U+16A60" in refusal.value.problem
    assert "“" in refusal.value.problem


def test_a_completion_stands_and_administrators_are_told_of_the_text_once(app, mails, run_jobs):
    administrator = make_administrator()
    course = make_certified_course(minimum_grade=None, outcomes=[{"en": f"Read {NO_FONT}"}])
    run = make_run(course)
    for name in ("Ana Flores", "Rosa Quispe"):
        enrolment = make_enrolment(run, make_user(name=name))
        progress.complete_activity(enrolment, course.modules[0].activities[0])

    assert enrolment.state == EnrolmentState.COMPLETED
    assert queries.find_latest(enrolment) is None
    notices = db.session.scalars(
        select(Notice).where(Notice.kind == "certificates.text_refused")
    ).all()
    assert [notice.user_id for notice in notices] == [administrator.id]
    [mail] = [m for m in mails() if "No certificates for the course" in m["Subject"]]
    assert "U+16A60" in mail.get_body(("plain",)).get_content()


def test_only_the_texts_with_gaps_are_named():
    told = describe_gaps(["Łucja Wiśniewska", f"Read {NO_FONT}", "Tʼaqa Pʼiqiñ"])

    assert told == f"“Read {NO_FONT}”: {NO_FONT} (U+16A60)"
    assert describe_gaps(["Tʼaqa Pʼiqiñ", "Ñawi Ch’aska", "d’Œuvry"]) == ""
    assert describe_gaps([]) == ""


def test_accreditation_partners_and_signatories_are_named_facts_that_fit_the_schema(app):
    credential = make_credential()
    credential.facts_text = register.to_text(credential.facts | {"accreditations": [ACCREDITATION]})
    made = make_document(credential, None)
    told = {
        genre: [one for one in made["evidence"] if one.get("genre") == genre]
        for genre in ("Accreditation", "PartnerOrganisation", "Signatory")
    }

    [accreditation] = told["Accreditation"]
    assert accreditation["name"] == "Accreditation by Order of Planners"
    assert accreditation["narrative"] == "OP-77, Planning, 2027-01-01/.."
    assert accreditation["id"] == f"urn:uuid:{ACCREDITATION['uuid']}"
    assert [one["name"] for one in told["PartnerOrganisation"]] == ["Laurentian Institute"]
    assert [(one["name"], one["description"]) for one in told["Signatory"]] == [
        ("Rosa Quispe Mamani", "Academic coordinator, Andean Centre"),
        ("Margaret Leclerc", "Director of continuing education, Laurentian Institute"),
    ]
    signed = json.loads(credential.document)
    assert problems({**made, "proof": signed["proof"]}) == []
