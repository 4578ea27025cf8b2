"""Prior learning in the browser: each page by its person, and as the wrong one."""

from __future__ import annotations

import io
import json

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.recognition import queries
from lms.recognition.models import EvidenceKind, PriorLearningRequest
from lms.recognition.services.prior_learning import portfolio
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course, make_instructor
from tests.factories.directory import make_association, make_manager, make_officer
from tests.factories.recognition import (
    make_assessed,
    make_decision,
    make_membership,
    make_offer,
    make_request,
)

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def page_of(request) -> str:
    return f"/prior-learning/requests/{request.uuid}"


def test_a_manager_says_how_a_course_recognises_prior_learning(signed_in, client):
    course = make_offer().course
    activity = course.modules[0].activities[1]
    browser = signed_in(make_manager(course.owner))

    answer = browser.post(
        f"/prior-learning/courses/{course.slug}/offer",
        data={
            "is_open": "y", "guidance": "Show a **plan**.", "decide_days": "20",
            "appeal_days": "10", "keep_months": "6", "hours_1": "4.5",
            "activities_1": str(activity.uuid), "hours_2": "",
        },
    )  # fmt: skip

    assert answer.status_code == 303
    offer = queries.find_offer(course)
    assert [(one.hours, one.activities) for one in offer.outcomes] == [
        (4.5, [str(activity.uuid)]), (0.0, []),
    ]  # fmt: skip
    page = signed_in(make_user()).get(f"/prior-learning/courses/{course.slug}").data
    assert b"<strong>plan</strong>" in page
    assert b"Have you learnt this already?" in client.get(f"/courses/{course.slug}").data


def test_more_hours_than_the_course_has_are_refused_and_kept_in_the_form(signed_in):
    course = make_offer().course
    browser = signed_in(make_manager(course.owner))

    answer = browser.post(
        f"/prior-learning/courses/{course.slug}/offer",
        data={"decide_days": "20", "appeal_days": "10", "keep_months": "6", "hours_1": "99"},
    )

    assert answer.status_code == 422
    assert b"99" in answer.data


def test_only_who_manages_the_courses_organisation_offers_and_names(signed_in):
    request = make_request()
    portfolio.hand_in(request, request.user)
    db.session.commit()
    course = request.course
    people = [
        make_user(), make_administrator(), make_manager(), make_instructor(course), request.user,
    ]  # fmt: skip
    places = [
        f"/prior-learning/courses/{course.slug}/offer",
        f"/prior-learning/courses/{course.slug}/requests",
        f"{page_of(request)}/assessor",
    ]

    for person in people:
        browser = signed_in(person)
        for place in places:
            assert browser.get(place).status_code == 403, (person.name, place)
    assert all(signed_in(make_manager(course.owner)).get(p).status_code == 200 for p in places)


def test_a_learner_begins_puts_together_and_hands_in(signed_in):
    course = make_offer().course
    learner = make_user()
    browser = signed_in(learner)

    assert browser.post(f"/prior-learning/courses/{course.slug}").status_code == 303
    request = db.session.scalars(select(PriorLearningRequest)).one()
    first = request.outcomes[0]
    said = {"title": "A plan", f"claim_{first.id}": "I drew it alone."}
    for kind, values in (
        ("file", {"file": (io.BytesIO(PDF), "plan.pdf")}),
        ("link", {"link": "https://example.org/plan", "seen_on": "2026-11-02"}),
        (
            "employer",
            {
                "employer": "Town", "role": "Planner", "starts_on": "2020-01-01",
                "contact_name": "Ana", "contact_email": "ana@example.org", "contact_agrees": "y",
            },
        ),
    ):  # fmt: skip
        assert browser.get(f"{page_of(request)}/evidence/{kind}").status_code == 200
        answer = browser.post(f"{page_of(request)}/evidence/{kind}", data=said | values)
        assert answer.status_code == 303, (kind, answer.data.decode())
    page = browser.get(page_of(request)).data.decode()
    assert request.items[0].sha256 in page
    assert "seen on Nov 2, 2026" in page
    assert page.count("I drew it alone.") == 3

    assert browser.post(f"{page_of(request)}/hand-in").status_code == 303

    assert request.state == "handed_in"
    assert b"A decision is promised until" in browser.get(page_of(request)).data


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("link", {"link": "javascript:alert(1)", "seen_on": "2026-11-02"}),
        ("link", {"link": "https://example.org/plan"}),
        ("file", {}),
        ("file", {"file": (b"MZ\x90\x00 a program", "plan.pdf")}),
        ("employer", {"employer": "Town", "role": "Planner", "starts_on": "2020-01-01"}),
        ("credential", {"text": ""}),
        ("credential", {"text": "This is no certificate."}),
    ],
)
def test_evidence_that_is_not_whole_is_refused_and_nothing_typed_is_lost(signed_in, kind, values):
    request = make_request()
    words = {"title": "A plan", f"claim_{request.outcomes[0].id}": "I drew it alone."}
    if "file" in values:
        content, name = values["file"]
        values = {"file": (io.BytesIO(content), name)}

    answer = signed_in(request.user).post(
        f"{page_of(request)}/evidence/{kind}", data=words | values
    )

    assert answer.status_code in (413, 422)
    assert b"I drew it alone." in answer.data
    assert len(request.items) == 1


def test_evidence_without_words_is_refused(signed_in):
    request = make_request()

    answer = signed_in(request.user).post(
        f"{page_of(request)}/evidence/link",
        data={"title": "A plan", "link": "https://example.org", "seen_on": "2026-11-02"},
    )

    assert answer.status_code == 422
    assert b"Say of at least one outcome" in answer.data


def test_evidence_is_corrected_and_removed(signed_in):
    request = make_request()
    [item] = request.items
    browser = signed_in(request.user)
    first, second = request.outcomes

    answer = browser.post(
        f"{page_of(request)}/items/{item.id}",
        data={
            "title": "Another plan", "link": "https://example.org/2", "seen_on": "2026-11-03",
            f"claim_{first.id}": "", f"claim_{second.id}": "I led it.",
        },
    )  # fmt: skip

    assert answer.status_code == 303
    assert (item.title, [claim.words for claim in item.claims]) == ("Another plan", ["I led it."])
    browser.post(f"{page_of(request)}/items/{item.id}/remove")
    assert request.items == []


def test_an_assessor_declares_first_then_sees_and_decides(signed_in):
    request = make_request()
    evidence = portfolio.Evidence(EvidenceKind.FILE, "Plan", {}, (PDF, "plan.pdf"))
    item = portfolio.add_evidence(
        request, request.user, evidence, {request.outcomes[0].id: "I drew it."}
    )
    portfolio.hand_in(request, request.user)
    assessor = make_user(email="judge@example.org")
    manager = signed_in(make_manager(request.course.owner))
    assert manager.post(
        f"{page_of(request)}/assessor", data={"email": "judge@example.org"}
    ).status_code == 303  # fmt: skip
    browser = signed_in(assessor)
    file = f"{page_of(request)}/items/{item.id}/file"
    assert browser.get(page_of(request)).status_code == 403  # before the declaration
    assert browser.get(file).status_code == 403
    assert b"Are you independent?" in browser.get(
        f"{page_of(request)}/decision", follow_redirects=True
    ).data  # fmt: skip

    browser.post(f"{page_of(request)}/declaration", data={"is_independent": "yes"})
    assert browser.get(file).data == PDF
    page = browser.get(f"{page_of(request)}/decision").data
    assert b"I drew it." in page
    first, second = request.outcomes
    data = {f"decision_{first.id}": "granted", f"reason_{first.id}": "A sound plan."}
    assert browser.post(f"{page_of(request)}/decision", data=data).status_code == 422
    data |= {f"decision_{second.id}": "not_granted", f"reason_{second.id}": "Nothing shows it."}
    assert browser.post(f"{page_of(request)}/decision", data=data).status_code == 303

    learner = signed_in(request.user).get(page_of(request)).data
    assert b"A sound plan." in learner
    assert b"Nothing shows it." in learner
    assert b"You can appeal once" in learner
    assert b"Requests that you assess" in browser.get("/prior-learning/assessing").data


def test_managers_name_nobody_who_is_not_independent(signed_in):
    request = make_request()
    portfolio.hand_in(request, request.user)
    db.session.commit()
    manager = signed_in(make_manager(request.course.owner))

    for email in (request.user.email, make_instructor(request.course).email, "nobody@example.org"):
        answer = manager.post(f"{page_of(request)}/assessor", data={"email": email})
        assert answer.status_code == 422, email
    assert request.assessors == []


def test_a_request_is_closed_to_everybody_else(signed_in):
    request = make_decision(make_assessed(), "granted", "not_granted")
    people = [
        make_user(), make_administrator(), make_manager(request.course.owner),
        make_instructor(request.course), make_officer(),
    ]  # fmt: skip
    item = request.items[0].id
    seen = ["", "/appeal", "/decision", "/declaration", "/credential.json", f"/items/{item}"]
    done = ["/hand-in", "/withdraw", "/share", "/appeal", "/decision", f"/items/{item}/remove"]

    for person in people:
        browser = signed_in(person)
        for place in seen:
            assert browser.get(page_of(request) + place).status_code == 403, (person.name, place)
        for place in done:
            assert browser.post(page_of(request) + place).status_code == 403, (person.name, place)


def test_an_association_looks_by_consent_alone(signed_in):
    request = make_request()
    association = make_association()
    make_membership(association, request.user)
    officer = signed_in(make_officer(association))
    portfolio.hand_in(request, request.user)
    db.session.commit()
    assert officer.get(page_of(request)).status_code == 403

    learner = signed_in(request.user)
    learner.post(f"{page_of(request)}/share", data={"association": association.slug})
    assert officer.get(page_of(request)).status_code == 200
    assert officer.post(f"{page_of(request)}/hand-in").status_code == 403
    listed = officer.get(f"/recognition/{association.slug}/prior-learning")
    assert request.user.name.encode() in listed.data

    learner.post(f"{page_of(request)}/share", data={"association": ""})
    assert officer.get(page_of(request)).status_code == 403
    learner.post(f"{page_of(request)}/share", data={"association": make_association().slug})
    assert request.association is None


def test_the_learner_appeals_and_takes_the_credential(signed_in):
    request = make_decision(make_assessed(), "granted", "not_granted")
    browser = signed_in(request.user)

    document = json.loads(browser.get(f"{page_of(request)}/credential.json").data)
    assert document["credentialSubject"]["achievement"]["achievementType"] == "Assessment"
    assert browser.get(f"{page_of(request)}/credential.jwt").data.count(b".") == 2
    verified = browser.post("/verify", data={"by-code-code": json.dumps(document)})
    assert b"It was issued here" in verified.data
    assert browser.post(f"{page_of(request)}/appeal", data={"reason": ""}).status_code == 422
    answer = browser.post(f"{page_of(request)}/appeal", data={"reason": "You missed a page."})

    assert answer.status_code == 303
    assert request.state == "appealed"
    assert browser.get(f"{page_of(request)}/appeal").status_code == 409


def test_the_lists_say_what_there_is(signed_in):
    request = make_request()

    assert request.course.title["en"].encode() in signed_in(request.user).get(
        "/my/prior-learning"
    ).data  # fmt: skip
    assert b"No request yet" in signed_in(make_user()).get("/my/prior-learning").data
    assert signed_in(make_user()).get("/prior-learning/assessing").status_code == 403
    plain = make_course()
    assert signed_in(make_user()).get(f"/prior-learning/courses/{plain.slug}").status_code == 404
