"""The rules of prior learning: portfolio, independence, decision, appeal, what follows."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lms.certificates.services import holder, status, verify
from lms.certificates.services.issue import issue_for_completion
from lms.certificates.uploads import read_text
from lms.certificates.verifier.outcome import State
from lms.core import clock
from lms.core.db import db
from lms.core.models import StoredFile
from lms.courses.services import progress
from lms.courses.services import staff as staffing
from lms.courses.services.enrolment import enrol_free
from lms.notifications.models import Notice
from lms.recognition import jobs, queries
from lms.recognition.errors import (
    CannotAppeal,
    HoursTooMany,
    NothingMapped,
    NotIndependent,
    NotOffered,
    NotWithAssessor,
    NotYetDeclared,
    PortfolioClosed,
)
from lms.recognition.models import (
    EvidenceKind,
    PriorLearningAward,
    PriorLearningRequest,
    PriorLearningStep,
    RequestState,
)
from lms.recognition.services import personal_data
from lms.recognition.services.prior_learning import assessing, offers, portfolio
from tests.accounts.letters import text_of
from tests.certificates.conftest import other as other  # an issuer elsewhere
from tests.certificates.test_peers import problems
from tests.factories.accounts import make_user
from tests.factories.certificates import make_credential
from tests.factories.courses import (
    make_course,
    make_enrolment,
    make_instructor,
    make_run,
)
from tests.factories.directory import make_manager
from tests.factories.recognition import (
    make_assessed,
    make_decision,
    make_offer,
    make_request,
)


def told(user) -> list[str]:
    return list(
        db.session.scalars(select(Notice.kind).where(Notice.user_id == user.id).order_by(Notice.id))
    )


def what_happened(request) -> list[str]:
    return list(
        db.session.scalars(
            select(PriorLearningStep.what)
            .where(PriorLearningStep.request_id == request.id)
            .order_by(PriorLearningStep.id)
        )
    )


def add(request, kind, claims=None, **values):
    evidence = portfolio.Evidence(kind, "Something", values)
    claims = claims or {request.outcomes[0].id: "It shows that."}
    return portfolio.add_evidence(request, request.user, evidence, claims)


def test_a_request_keeps_the_outcomes_of_its_day(app):
    offer = make_offer()
    request = make_request(offer=offer)

    offer.course.outcomes = [{"en": "Something else"}]
    offer.outcomes[0].hours = 9.0

    assert [(one.text["en"], one.hours) for one in request.outcomes] == [
        ("Map actors", 3.0), ("Lead a meeting", 3.0),
    ]  # fmt: skip


def test_moved_outcomes_keep_what_is_offered_for_them_and_new_words_have_nothing(app):
    offer = make_offer()
    first, second = offer.course.outcomes
    offer.outcomes[1].hours = 5.0
    offer.course.outcomes = [second, {**first, "es": "Mapear actores"}]

    request = portfolio.open_request(offer.course, make_user())

    assert [(one.hours, len(one.activities)) for one in request.outcomes] == [(5.0, 1), (0.0, 0)]


def test_there_is_one_open_request_for_a_course(app):
    request = make_request()

    assert portfolio.open_request(request.course, request.user) is request


def test_a_course_that_does_not_offer_it_takes_no_request(app):
    for course in (make_course(), make_offer(is_open=False).course):
        with pytest.raises(NotOffered):
            portfolio.open_request(course, make_user())


def test_no_more_hours_are_waived_than_the_course_has(app):
    course = make_course(hours=5.0)

    with pytest.raises(HoursTooMany):
        offers.keep_offer(
            course, make_user(), is_open=True, guidance="", language="en", decide_days=1,
            appeal_days=1, keep_months=1, outcomes=[offers.OutcomeTerms(6.0, [])],
        )  # fmt: skip


def test_a_file_is_kept_with_its_hash(app):
    request = make_request()
    evidence = portfolio.Evidence(EvidenceKind.FILE, "Plan", {}, (b"A plan of the town.", "p.txt"))

    item = portfolio.add_evidence(
        request, request.user, evidence, {request.outcomes[0].id: "I drew it."}
    )

    assert item.sha256 == item.file.sha256
    assert len(item.sha256) == 64
    portfolio.remove_evidence(item, request.user)
    assert db.session.scalar(select(func.count()).select_from(StoredFile)) == 0


def test_a_portfolio_without_words_is_not_handed_in(app):
    request = portfolio.open_request(make_offer().course, make_user())

    with pytest.raises(NothingMapped):
        portfolio.hand_in(request, request.user)


def test_what_is_handed_in_has_a_day_for_the_decision_and_changes_no_more(app):
    offer = make_offer(decide_days=10)
    request = make_request(offer=offer)

    portfolio.hand_in(request, request.user)

    assert request.due_on == clock.now().date() + timedelta(days=10)
    with pytest.raises(PortfolioClosed):
        add(request, EvidenceKind.LINK, link="https://example.org", seen_on=clock.now().date())


@pytest.mark.parametrize("who", ["learner", "instructor", "former", "employer", "self"])
def test_nobody_assesses_who_is_not_independent(app, who):
    request = make_request()
    person, manager = make_user(), make_user()
    if who == "learner":
        person = request.user
    elif who == "instructor":
        person = make_instructor(request.course)
    elif who == "former":
        make_instructor(request.course)
        row = staffing.add_staff(request.course, person, None, None)
        staffing.remove_staff(row, None)
    elif who == "employer":
        add(
            request, EvidenceKind.EMPLOYER, employer="Town", role="Planner",
            contact_name="Ana", contact_email=person.email.upper(),
        )  # fmt: skip
    else:
        manager = person
    portfolio.hand_in(request, request.user)

    with pytest.raises(NotIndependent):
        assessing.name_assessor(request, person, manager)

    assert request.assessors == []


def test_an_employer_who_is_named_later_cannot_decide(app):
    assessor = make_assessed()
    request = make_decision(assessor, "more_asked", "granted")
    add(
        request, EvidenceKind.EMPLOYER, employer="Town", role="Planner", contact_name="Ana",
        contact_email=assessor.user.email,
    )  # fmt: skip
    portfolio.hand_in(request, request.user)

    with pytest.raises(NotIndependent):
        make_decision(assessor, "granted", "granted")


def test_who_steps_back_sees_and_decides_nothing(app):
    request = make_request()
    portfolio.hand_in(request, request.user)
    assessor = assessing.name_assessor(request, make_user(), make_user())

    assessing.declare(assessor, conflict="We worked together.")

    assert request.assessor("first") is None
    with pytest.raises(NotWithAssessor):
        make_decision(assessor, "granted", "granted")
    assert "conflict_declared" in what_happened(request)


def test_nothing_is_decided_before_the_declaration(app):
    request = make_request()
    portfolio.hand_in(request, request.user)
    assessor = assessing.name_assessor(request, make_user(), make_user())

    with pytest.raises(NotYetDeclared):
        make_decision(assessor, "granted", "granted")


def test_a_decision_is_per_outcome_with_reasons_and_the_learner_is_told(app):
    request = make_decision(make_assessed(), "granted", "not_granted")

    assert [(one.final, one.reason) for one in request.outcomes] == [
        ("granted", "Because of granted."), ("not_granted", "Because of not_granted."),
    ]  # fmt: skip
    assert request.state == RequestState.DECIDED
    assert told(request.user) == ["recognition.prior_learning_decided"]
    assert what_happened(request) == [
        "opened", "evidence_added", "handed_in", "assessor_named", "independence_declared",
        "decided", "credential_issued",
    ]  # fmt: skip


def test_only_what_was_asked_for_is_decided(app):
    request = make_decision(make_assessed(make_request(shows=1)), "granted")

    assert [one.final for one in request.outcomes] == ["granted", None]
    assert request.ended_at is not None  # all that was asked for is granted


def test_asking_for_more_gives_the_portfolio_back(app):
    assessor = make_assessed()
    request = make_decision(assessor, "more_asked", "granted")

    assert (request.state, request.can_change) == (RequestState.MORE_ASKED, True)
    assert queries.find_award(request) is None
    portfolio.hand_in(request, request.user)
    make_decision(assessor, "granted", "granted")
    assert request.state == RequestState.DECIDED


def test_the_history_is_never_changed(app):
    request = make_request()
    step = db.session.scalars(
        select(PriorLearningStep).where(PriorLearningStep.request_id == request.id)
    ).first()

    step.what = "decided"

    with pytest.raises(TypeError):
        db.session.flush()
    db.session.rollback()


def test_an_appeal_goes_once_to_another_person_about_what_was_not_granted(app):
    first = make_assessed()
    request = make_decision(first, "granted", "not_granted")
    today = clock.now().date()
    portfolio.appeal(request, request.user, "You missed a page.", today)

    with pytest.raises(NotIndependent):
        assessing.name_assessor(request, first.user, make_user())
    second = make_assessed(request)
    make_decision(second, "granted")

    assert [one.final for one in request.outcomes] == ["granted", "granted"]
    assert request.outcomes[1].reason == "Because of not_granted."
    assert request.state == RequestState.CLOSED
    with pytest.raises(CannotAppeal):
        portfolio.appeal(request, request.user, "Again.", today)


@pytest.mark.parametrize(("days", "is_in_time"), [(7, True), (8, False)])
def test_an_appeal_has_a_last_day(app, days, is_in_time):
    request = make_decision(
        make_assessed(make_request(offer=make_offer(appeal_days=7))), "granted", "not_granted"
    )
    later = clock.now().date() + timedelta(days=days)

    assert request.may_appeal(later) is is_in_time
    portfolio.end_when_nothing_follows(later)
    assert (request.ended_at is None) is is_in_time


def test_the_granted_part_is_waived_in_the_course(app):
    request = make_request()
    enrolment = make_enrolment(make_run(request.course), request.user)

    make_decision(make_assessed(request), "granted", "not_granted")

    first, second = (module for module in request.course.modules[0].activities)
    states = {row.activity_id: row.is_waived for row in enrolment.progress}
    assert states == {first.id: True}
    assert enrolment.waived_hours == 3.0
    progress.complete_activity(enrolment, second)
    assert enrolment.state == "completed"


def test_it_is_waived_in_a_later_run_too(app):
    request = make_decision(make_assessed(), "granted", "not_granted")

    enrolment = enrol_free(make_run(request.course), request.user)

    assert [row.is_waived for row in enrolment.progress] == [True]
    assert enrolment.waived_hours == 3.0


def test_an_activity_of_two_outcomes_waits_for_both(app):
    offer = make_offer()
    shared = str(offer.course.modules[0].activities[0].uuid)
    for outcome in offer.outcomes:
        outcome.activities = [shared]
    request = make_request(offer=offer)
    enrolment = make_enrolment(make_run(offer.course), request.user)

    make_decision(make_assessed(request), "granted", "not_granted")
    assert enrolment.progress == []

    portfolio.appeal(request, request.user, "Look again.", clock.now().date())
    make_decision(make_assessed(request), "granted")
    assert [row.is_waived for row in enrolment.progress] == [True]


def test_the_certificate_states_the_waived_hours_apart(client):
    request = make_request()
    enrolment = make_enrolment(make_run(request.course), request.user)
    make_decision(make_assessed(request), "granted", "not_granted")
    progress.complete_activity(enrolment, request.course.modules[0].activities[1])

    credential = issue_for_completion(enrolment)

    document = json.loads(credential.document)
    assert document["credentialSubject"]["creditsEarned"] == 9.0
    assert document["credentialSubject"]["achievement"]["creditsAvailable"] == 12.0
    criteria = document["credentialSubject"]["achievement"]["criteria"]["narrative"]
    assert "1 completed, 1 waived" in criteria
    db.session.commit()
    page = client.get(f"/verify/{credential.code}").data.decode()
    assert "3 further hours, in recognition of prior learning" in page
    assert problems(document) == []


def test_the_granted_part_is_a_credential_that_anybody_can_verify(app):
    request = make_decision(make_assessed(), "granted", "not_granted")

    award = queries.find_award(request)

    document = json.loads(award.document)
    assert problems(document) == []
    achievement = document["credentialSubject"]["achievement"]
    assert achievement["achievementType"] == "Assessment"
    assert [one["targetName"] for one in achievement["alignment"]] == ["Map actors"]
    assert "creditsEarned" not in document["credentialSubject"]
    assert "example.org/work" not in award.document  # evidence by hash alone
    assert verify.verify_document(document).state == State.VALID
    assert verify.verify_upload(read_text(award.token)).state == State.VALID
    altered = json.loads(award.document)
    altered["credentialSubject"]["achievement"]["name"] = "A doctorate"
    assert verify.verify_document(altered).state == State.ALTERED
    status.revoke_place(award.place)
    assert verify.verify_document(document).state == State.REVOKED


def test_after_an_appeal_one_credential_takes_the_place_of_the_other(app):
    request = make_decision(make_assessed(), "granted", "not_granted")
    former = queries.find_award(request)
    portfolio.appeal(request, request.user, "Look again.", clock.now().date())

    make_decision(make_assessed(request), "granted")

    award = queries.find_award(request)
    assert award.id != former.id
    assert verify.verify_document(json.loads(former.document)).state == State.REVOKED
    assert len(json.loads(award.document)["credentialSubject"]["achievement"]["alignment"]) == 2


def test_a_credential_from_elsewhere_is_verified_at_once_and_again(app, other):
    from lms.certificates.verifier import status as lists

    user = make_user(name="Zoé Ñaupari")
    request = make_request(user)
    shown = read_text(json.dumps(other.credential()))
    evidence = portfolio.Evidence(
        EvidenceKind.CREDENTIAL, "Soils", {"credential_text": portfolio.text_of(shown)},
        verdict=portfolio.judge_credential(shown, user),
    )  # fmt: skip
    item = portfolio.add_evidence(request, user, evidence, {request.outcomes[0].id: "There."})
    assert (item.verdict["state"], item.verdict["same_name"]) == ("valid", "match")
    assert item.verdict["issuer"] == other.did
    other.revoke(7)
    lists._kept.forget()

    found = assessing.verify_again(request)

    assert found[item.id]["state"] == "revoked"


def test_a_certificate_of_this_site_is_evidence_too(app):
    credential = make_credential()

    found = portfolio.judge_credential(read_text(credential.code), credential.user)

    assert (found["state"], found["same_name"]) == ("valid", "match")


def test_a_code_tells_nobody_a_name_that_its_holder_hides(app):
    credential = make_credential()
    holder.choose_shown(credential, shows_name=False, shows_grade=True)

    found = portfolio.judge_credential(read_text(credential.code), make_user())

    assert credential.holder_name not in str(found)
    assert found["same_name"] != "match"


def test_evidence_is_deleted_when_its_time_is_over(app):
    request = make_request(offer=make_offer(keep_months=1), shows=1)
    evidence = portfolio.Evidence(EvidenceKind.FILE, "Plan", {}, (b"A plan of the town.", "p.txt"))
    item = portfolio.add_evidence(
        request, request.user, evidence, {request.outcomes[0].id: "I drew it."}
    )
    make_decision(make_assessed(request), "granted")
    jobs.end_prior_learning()
    assert item.file is not None

    request.ended_at = clock.now() - timedelta(days=40)
    jobs.end_prior_learning()

    assert (item.file, len(item.sha256)) == (None, 64)
    assert request.forgotten_at is not None


def test_all_of_it_is_exported_and_erased(app):
    request = make_decision(make_assessed(), "granted", "not_granted")
    user_id = request.user_id
    document = json.loads(queries.find_award(request).document)
    exported = personal_data.export(user_id)["prior_learning"]
    assert exported[0]["evidence"][0]["shows"][0]["words"] == "I did this for years."

    personal_data.erase(user_id)
    db.session.commit()

    for kind in (PriorLearningRequest, PriorLearningAward, PriorLearningStep):
        assert db.session.scalar(select(func.count()).select_from(kind)) == 0
    assert verify.verify_document(document).state == State.REVOKED


def test_everybody_is_told_by_mail_what_waits_for_whom(app, mails):
    request = make_request()
    manager = make_manager(request.course.owner)
    assessor = make_assessed(request)
    make_decision(assessor, "granted", "not_granted")
    portfolio.appeal(request, request.user, "You missed a page.", clock.now().date())
    db.session.commit()

    found = [(mail["To"], text_of(mail)) for mail in mails()]

    def said(user, words) -> bool:
        return any(user.email in to and words in text for to, text in found)

    assert said(manager, "Please name an assessor")
    assert said(assessor.user, "A decision is promised until")
    assert said(request.user, "You can appeal until")
    assert said(manager, "Please name another assessor")
