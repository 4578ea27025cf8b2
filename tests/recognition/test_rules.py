from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.models import AuditEntry
from lms.courses.models import CourseCredit
from lms.recognition.judging import Learning, judge
from lms.recognition.models import Accreditation, CreditEntry, RecognitionRule
from lms.recognition.services import rules as services
from lms.recognition.services.ledger import credit_members
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_certified_course, make_credential
from tests.factories.courses import make_activity, make_course, make_module, make_run
from tests.factories.directory import make_association, make_officer, make_organisation
from tests.factories.recognition import (
    make_accreditation,
    make_member_with_certificate,
    make_membership,
    make_rule,
)

DESK = "/recognition/colegio"
DAY = date(2027, 3, 1)


def learning(**values) -> Learning:
    defaults = {
        "course_id": 1, "topic_id": 2, "provider_ids": frozenset({3}), "hours": 12.0,
        "is_assessed": True, "grade": 0.8, "awarded_on": DAY,
    }  # fmt: skip
    return Learning(**(defaults | values))


@pytest.mark.parametrize(
    ("terms", "is_credited"),
    [
        ({}, True),
        ({"minimum_hours": 12.0}, True),
        ({"minimum_hours": 12.5}, False),
        ({"minimum_grade": 0.8}, True),
        ({"minimum_grade": 0.81}, False),
        ({"needs_assessment": True}, True),
        ({"needs_accreditation": True}, False),
        ({"starts_on": DAY}, True),
        ({"starts_on": DAY + timedelta(days=1)}, False),
    ],
)
def test_every_condition_of_a_rule_is_asked(association, terms, is_credited):
    rule = make_rule(association, **terms)

    assert (judge([rule], [], learning()) is not None) is is_credited


def test_rules_can_be_about_topic_provider_and_course(association):
    course = make_course()
    by = {
        "topic_id": course.topic_id, "provider_id": course.owner_id, "course_id": course.id,
    }  # fmt: skip
    own = learning(
        course_id=course.id,
        topic_id=course.topic_id,
        provider_ids=frozenset({course.owner_id}),
    )
    for name, value in by.items():
        rule = make_rule(association, **{name: value})
        assert judge([rule], [], own)
        others = {"course_id": 0, "topic_id": 0, "provider_ids": frozenset()}
        assert judge([rule], [], learning(**others)) is None


def test_of_several_rules_the_one_with_most_hours_credits(association):
    small, large = make_rule(association, hours=2.0), make_rule(association, hours=5.0)
    own = make_rule(association)

    assert judge([small, large], [], learning()).version.rule_id == large.id
    assert judge([small, large, own], [], learning()).hours == 12.0
    assert judge([], [], learning()) is None


@pytest.mark.parametrize(
    ("values", "day", "held"),
    [
        ({}, DAY, True),
        ({"starts_on": DAY}, DAY, True),
        ({"starts_on": DAY + timedelta(days=1)}, DAY, False),
        ({"ends_on": DAY}, DAY, True),
        ({"ends_on": DAY - timedelta(days=1)}, DAY, False),
        ({"withdrawn_on": DAY}, DAY, False),
        ({"withdrawn_on": DAY + timedelta(days=1)}, DAY, True),
    ],
)
def test_accreditation_is_judged_on_the_day_of_the_award(association, values, day, held):
    provider = make_organisation()
    rule = make_rule(association, needs_accreditation=True)
    accreditation = make_accreditation(association, provider_id=provider.id, **values)

    found = judge(
        [rule], [accreditation], learning(provider_ids=frozenset({provider.id}), awarded_on=day)
    )

    assert (found is not None) is held


def test_an_officer_accredits_a_provider_and_new_certificates_say_so(desk, client, association):
    course = make_certified_course()
    data = {
        "provider": course.owner_id, "number": "CP-77", "scope": "Planning",
        "starts_on": "2020-01-01", "ends_on": "",
    }  # fmt: skip
    before = make_credential(run=make_run(course), user=make_user())

    answer = desk.post(f"{DESK}/accreditations/new", data=data)

    assert answer.status_code == 303, answer.text
    after = make_credential(run=make_run(course), user=make_user())
    assert [one["number"] for one in after.facts["accreditations"]] == ["CP-77"]
    assert before.facts["accreditations"] == []
    assert "CP-77" in client.get(f"/verify/{after.code}").text
    assert "CP-77" not in client.get(f"/verify/{before.code}").text
    page = client.get("/organisations/colegio").text
    assert "CP-77" in page
    assert "Planning" in page


def test_wrong_accreditations_are_explained(desk, association):
    course = make_course()
    make_accreditation(association, course=course, number="TAKEN")
    good = {"course": course.id, "number": "N-1", "starts_on": "2026-01-01"}
    for change, words in [
        ({"provider": course.owner_id}, "Choose a provider or a course, not both."),
        ({"course": ""}, "Choose a provider or a course, not both."),
        ({"number": " "}, "Write the number that stands on certificates."),
        ({"number": "TAKEN"}, "has an accreditation with this number already"),
        ({"starts_on": ""}, "Choose a day."),
        ({"ends_on": "2025-12-31"}, "The last day comes before the first."),
    ]:
        answer = desk.post(f"{DESK}/accreditations/new", data=good | change)
        assert answer.status_code == 422, change
        assert words in answer.text, change
    assert len(db.session.scalars(select(Accreditation)).all()) == 1


def test_a_withdrawn_accreditation_still_holds_for_earlier_awards(desk, association):
    course = make_certified_course()
    accreditation = make_accreditation(association, course=course, number="CP-1")
    earlier = make_credential(run=make_run(course), user=make_user())
    tomorrow = clock.now().date() + timedelta(days=1)
    path = f"{DESK}/accreditations/{accreditation.id}/withdraw"

    assert desk.get(path).status_code == 200
    assert desk.post(path, data={"first_day": str(tomorrow)}).status_code == 303
    assert desk.post(path, data={"first_day": str(tomorrow)}).status_code == 409

    assert earlier.facts["accreditations"]
    assert accreditation.held_on(tomorrow - timedelta(days=1))
    assert not accreditation.held_on(tomorrow)
    assert "Withdrawn from" in desk.get(f"{DESK}/accreditations").text


def test_a_changed_rule_leaves_what_was_credited_untouched(desk, association, run_jobs):
    course = make_certified_course()
    yesterday = str(clock.now().date() - timedelta(days=1))  # today has not begun in the run's zone
    terms = {"name": "Courses", "starts_on": yesterday, "hours": "5", "category": "Planning"}
    made = desk.post(f"{DESK}/rules/new", data=terms)
    assert made.status_code == 303, made.text
    [rule] = db.session.scalars(select(RecognitionRule)).all()
    first = make_member_with_certificate(association, run=make_run(course))
    [entry] = db.session.scalars(select(CreditEntry)).all()
    assert (entry.hours, entry.category) == (5.0, "Planning")
    document = first.document

    path = f"{DESK}/rules/{rule.id}/change"
    assert 'value="Courses"' in desk.get(path).text
    assert desk.post(path, data=terms | {"hours": "2", "note": "Half"}).status_code == 303
    second = make_member_with_certificate(association, run=make_run(course))
    run_jobs()

    hours = {e.credential_id: e.hours for e in db.session.scalars(select(CreditEntry))}
    assert hours == {first.id: 5.0, second.id: 2.0}
    assert first.document == document
    page = desk.get(f"{DESK}/rules/{rule.id}").text
    assert "Version 1" in page
    assert "Version 2" in page
    assert "Half" in page
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert {"recognition.make_rule", "recognition.change_rule"} <= set(acts)


def test_a_version_does_not_begin_before_the_one_it_replaces(desk, association):
    rule = make_rule(association, starts_on=date(2026, 6, 1))
    path = f"{DESK}/rules/{rule.id}/change"

    answer = desk.post(path, data={"name": "Rule", "starts_on": "2026-05-31"})

    assert answer.status_code == 422
    assert "on the first day of the present version or later" in answer.text


def test_an_ended_rule_credits_earlier_awards_only(desk, association):
    rule = make_rule(association)
    path = f"{DESK}/rules/{rule.id}"

    assert desk.post(f"{path}/end", data={"last_day": "2026-01-31"}).status_code == 303

    assert rule.version_on(date(2026, 1, 31)) is not None
    assert rule.version_on(date(2026, 2, 1)) is None
    assert desk.post(f"{path}/end", data={"last_day": "2026-01-31"}).status_code == 409
    change = desk.post(f"{path}/change", data={"name": "R", "starts_on": "2027-01-01"})
    assert change.status_code == 409


def test_the_catalogue_says_what_a_rule_credits(desk, client, association):
    course = make_certified_course(minimum_grade=None)
    other = make_course()
    make_accreditation(association, provider_id=course.owner_id, number="CP-9")
    terms = {
        "name": "Andean", "starts_on": "2026-01-01", "hours": "7.5", "provider": course.owner_id,
    }  # fmt: skip

    desk.post(f"{DESK}/rules/new", data=terms)

    [credit] = db.session.scalars(
        select(CourseCredit).where(CourseCredit.organisation_id == association.id)
    ).all()
    assert (credit.course_id, credit.hours, credit.reference) == (course.id, 7.5, "CP-9")
    assert "College credits 7.5 hours" in client.get(f"/courses/{course.slug}").text
    assert "College" not in client.get(f"/courses/{other.slug}").text
    [rule] = db.session.scalars(select(RecognitionRule)).all()
    desk.post(f"{DESK}/rules/{rule.id}/end", data={"last_day": "2026-01-31"})
    assert not db.session.scalars(
        select(CourseCredit).where(CourseCredit.organisation_id == association.id)
    ).all()


@pytest.mark.needs("assessments")
def test_assessment_counts_for_the_catalogue_too(association, officer):
    graded, plain = make_course(), make_course()
    make_activity(make_module(graded), kind="quiz", settings={})
    make_activity(make_module(plain))

    services.make_rule(
        association, officer, name="R", starts_on=date(2026, 1, 1), needs_assessment=True
    )

    assert db.session.scalars(select(CourseCredit.course_id)).all() == [graded.id]


@pytest.mark.parametrize("kind", ["administrator", "both", "manager", "other", "learner"])
def test_only_officers_of_the_body_make_rules(proven, association, kind):
    """An administrator of Puente cannot, not even one who is made officer."""
    make_rule(association)
    person = {
        "administrator": lambda: make_administrator(),
        "both": lambda: make_officer(association, is_administrator=True),
        "manager": lambda: make_administrator(),
        "other": lambda: make_officer(make_association()),
        "learner": lambda: make_user(),
    }[kind]()
    browser = proven(person)
    [rule] = db.session.scalars(select(RecognitionRule)).all()
    data = {"name": "Mine", "starts_on": "2026-01-01", "hours": "100"}

    for path in ("rules/new", f"rules/{rule.id}/change"):
        assert browser.get(f"{DESK}/{path}").status_code == 403
        assert browser.post(f"{DESK}/{path}", data=data).status_code == 403
    accreditation = {"number": "X", "starts_on": "2026-01-01"}
    answer = browser.post(f"{DESK}/accreditations/new", data=accreditation)
    assert answer.status_code == 403
    assert len(db.session.scalars(select(RecognitionRule)).all()) == 1
    assert db.session.scalars(select(Accreditation)).all() == []


def test_changes_need_the_second_factor(signed_in, officer, association):
    browser = signed_in(officer)
    data = {"name": "Rule", "starts_on": "2026-01-01"}

    assert browser.get(f"{DESK}/rules").status_code == 200
    answer = browser.get(f"{DESK}/rules/new")
    assert answer.location == f"/account/second-factor?next={DESK}/rules/new"
    assert browser.post(f"{DESK}/rules/new", data=data).status_code == 303
    assert db.session.scalars(select(RecognitionRule)).all() == []


def test_new_rules_reach_back_to_certificates_that_nothing_credited(association, officer, app):
    course = make_certified_course()
    credential = make_member_with_certificate(association, run=make_run(course))
    assert credit_members(association) == 0

    services.make_rule(association, officer, name="R", starts_on=date(2020, 1, 1))

    assert credit_members(association) == 1
    assert credit_members(association) == 0
    [entry] = db.session.scalars(select(CreditEntry)).all()
    assert entry.credential_id == credential.id


def test_another_association_credits_the_same_certificate_differently(association):
    other = make_association()
    make_rule(association, hours=3.0)
    make_rule(other, hours=8.0)
    user = make_user()
    make_membership(association, user)
    make_membership(other, user)

    make_credential(user=user)

    hours = {e.association_id: e.hours for e in db.session.scalars(select(CreditEntry))}
    assert hours == {association.id: 3.0, other.id: 8.0}
