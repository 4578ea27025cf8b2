from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from lms.assessments import queries
from lms.assessments.models import QuizAttempt
from lms.core import clock
from lms.core.db import db
from tests.factories.accounts import make_administrator, make_user
from tests.factories.assessments import (
    make_attempt,
    make_learner,
    make_question,
    make_quiz,
)
from tests.factories.courses import make_activity, make_enrolment, make_instructor, make_run

ALL_KINDS = ("multiple_choice", "true_false", "numerical", "short_text")


def names(attempt: QuizAttempt) -> list[str]:
    return [f"q{id_}" for id_ in attempt.question_ids]


def start(browser, enrolment, quiz):
    return browser.post(f"/study/{enrolment.run_id}/{quiz.slug}/attempts")


def test_the_study_page_tells_the_rules_and_leads_into_the_quiz(app, signed_in):
    quiz = make_quiz(kinds=ALL_KINDS, attempts=3, time_limit=30, pass_score=0.7, draw=2)
    enrolment = make_learner(quiz)

    page = signed_in(enrolment.user).get(f"/study/{enrolment.run_id}/{quiz.slug}").text

    for text in ("Pass mark", "70 %", "3 attempts", "30 min", "Start the quiz", "2 questions"):
        assert text in page


def test_a_quiz_is_taken_without_script_from_start_to_result(app, signed_in):
    quiz = make_quiz(kinds=ALL_KINDS, pass_score=0.7)
    enrolment = make_learner(quiz)
    browser = signed_in(enrolment.user)

    started = start(browser, enrolment, quiz)
    assert started.status_code == 303
    page = browser.get(started.location)
    assert page.status_code == 200
    assert page.text.count("<fieldset") == 4
    [attempt] = queries.list_attempts(enrolment, quiz)
    choice, truth, number, text = names(attempt)
    saved = browser.post(
        started.location, data={"answers": "sent", "action": "save", choice: "a", number: "12,4"}
    )
    assert saved.location == started.location
    page = browser.get(started.location).text
    assert "2 of 4 answered" in page
    assert 'value="12,4"' in page
    handed_in = browser.post(
        started.location,
        data={
            "answers": "sent",
            "action": "hand_in",
            choice: "a",
            truth: "false",
            number: "12,4",
            text: " Mapa  de ACTORES ",
        },
    )
    result = browser.get(handed_in.location).text

    assert "100 %" in result
    assert "Passed" in result
    assert "It votes the budget." in result
    assert "Read it again." in result


def test_unanswered_questions_are_asked_about_before_handing_in(app, signed_in):
    quiz = make_quiz(kinds=("multiple_choice", "true_false"))
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)
    browser = signed_in(enrolment.user)
    address = f"/assessments/attempts/{attempt.id}"
    first, second = names(attempt)

    asked = browser.post(address, data={"answers": "sent", "action": "hand_in", first: "a"})
    assert asked.location == f"{address}/hand-in"
    page = browser.get(asked.location).text
    assert "One question has no answer" in page
    assert f"#{second}-place" in page
    done = browser.post(address, data={"confirmed": "yes"})

    assert done.location == f"{address}/result"
    assert db.session.get(QuizAttempt, attempt.id).score == 0.5


def test_script_saves_each_answer_by_itself(app, signed_in):
    quiz = make_quiz(kinds=("multiple_choice", "numerical"))
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)
    first, second = attempt.question_ids
    browser = signed_in(enrolment.user)
    address = f"/assessments/attempts/{attempt.id}/responses"

    saved = browser.put(f"{address}/{first}", json={"values": {f"q{first}": ["a"]}})
    browser.put(f"{address}/{second}", json={"values": {f"q{second}": ["12.6"]}})

    assert saved.json["text"] == "1 of 2 answered"
    rows = queries.responses_by_question(attempt)
    assert rows[first].response == ["a"]
    assert rows[second].response == {"text": "12.6", "value": 12.6}


@pytest.mark.parametrize(
    "body", [None, [], {}, {"values": []}, {"values": {"q": "a"}}, {"values": {"q": [1]}}]
)
def test_nonsense_instead_of_an_answer_is_refused(app, signed_in, body):
    quiz = make_quiz()
    attempt = make_attempt(make_learner(quiz), quiz)
    [question_id] = attempt.question_ids

    response = signed_in(attempt.enrolment.user).put(
        f"/assessments/attempts/{attempt.id}/responses/{question_id}", json=body
    )

    assert response.status_code == 422


@pytest.mark.parametrize(
    "typed", ["NaN", "inf", "-Infinity", "1e400", "9" * 400, "0x10", "١٢", "--5", "", "1,2,3"]
)
def test_what_is_no_sensible_number_is_kept_as_typed_and_earns_nothing(app, signed_in, typed):
    quiz = make_quiz(kinds=("numerical",))
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)
    browser = signed_in(enrolment.user)
    [name] = names(attempt)
    address = f"/assessments/attempts/{attempt.id}"

    browser.post(address, data={"answers": "sent", "action": "save", name: typed})
    page = browser.get(address)
    assert page.status_code == 200
    if typed:
        assert "This is not a number." in page.text
    browser.post(address, data={"confirmed": "yes"})

    assert browser.get(f"{address}/result").status_code == 200
    assert db.session.get(QuizAttempt, attempt.id).score == 0.0


def test_forged_question_ids_are_refused_or_ignored(app, signed_in):
    quiz = make_quiz()
    other = make_question(make_quiz())
    attempt = make_attempt(make_learner(quiz), quiz)
    browser = signed_in(attempt.enrolment.user)
    address = f"/assessments/attempts/{attempt.id}"
    body = {"values": {f"q{other.id}": ["a"]}}

    assert browser.put(f"{address}/responses/{other.id}", json=body).status_code == 404
    assert browser.put(f"{address}/responses/987654321", json=body).status_code == 404
    saved = browser.post(
        address, data={"answers": "sent", "action": "save", f"q{other.id}": "a", "qX": "a"}
    )
    assert saved.status_code == 303
    assert not [row for row in queries.responses_by_question(attempt).values() if row.response]


def test_choices_that_do_not_exist_are_no_answer(app, signed_in):
    quiz = make_quiz()
    attempt = make_attempt(make_learner(quiz), quiz)
    [name] = names(attempt)

    signed_in(attempt.enrolment.user).post(
        f"/assessments/attempts/{attempt.id}",
        data={"answers": "sent", "action": "save", name: ["z", "<script>"]},
    )

    assert not queries.responses_by_question(attempt)


def test_nobody_else_gets_at_an_attempt(app, signed_in, client):
    quiz = make_quiz()
    attempt = make_attempt(make_learner(quiz), quiz)
    done = make_attempt(make_learner(quiz), quiz, {})
    fellow = make_enrolment(attempt.enrolment.run).user
    [question_id] = attempt.question_ids
    address = f"/assessments/attempts/{attempt.id}"
    calls = [
        ("GET", address),
        ("POST", address),
        ("GET", f"{address}/hand-in"),
        ("PUT", f"{address}/responses/{question_id}"),
        ("GET", f"{address}/result"),
        ("GET", f"/assessments/attempts/{done.id}/result"),
        ("GET", f"/assessments/attempts/{done.id}"),
    ]
    for method, path in calls:
        assert client.open(path, method=method).status_code in (302, 401), path
        assert signed_in(fellow).open(path, method=method, json={}).status_code == 403, path
    for method, path in calls[:4]:  # administrators and instructors do not answer for others
        assert signed_in(make_administrator()).open(path, method=method).status_code == 403, path
        staff = make_instructor(quiz.course)
        assert signed_in(staff).open(path, method=method).status_code == 403, path


def test_only_who_is_enrolled_can_start(app, signed_in, client):
    quiz = make_quiz()
    run = make_run(quiz.course)
    left = make_enrolment(run, state="withdrawn")
    path = f"/study/{run.id}/{quiz.slug}/attempts"

    assert client.post(path).status_code == 302
    assert signed_in(make_user()).post(path).status_code == 404
    assert signed_in(left.user).post(path).status_code == 403
    assert signed_in(make_enrolment(run).user).post(path).status_code == 303


def test_a_quiz_of_another_course_or_another_kind_cannot_be_started(app, signed_in):
    quiz = make_quiz()
    enrolment = make_learner(make_quiz())

    assert start(signed_in(enrolment.user), enrolment, quiz).status_code == 404


def test_two_clicks_on_start_make_one_attempt(app, signed_in):
    quiz = make_quiz()
    enrolment = make_learner(quiz)
    browser = signed_in(enrolment.user)

    assert start(browser, enrolment, quiz).location == start(browser, enrolment, quiz).location


def test_no_attempt_beyond_those_allowed(app, signed_in):
    quiz = make_quiz(attempts=1)
    enrolment = make_learner(quiz)
    make_attempt(enrolment, quiz, {})
    browser = signed_in(enrolment.user)

    refused = start(browser, enrolment, quiz)

    assert refused.status_code == 409
    assert "You have used all attempts" in refused.text
    assert "Start attempt" not in browser.get(f"/study/{enrolment.run_id}/{quiz.slug}").text


def test_the_second_hand_in_shows_the_result_of_the_first(app, signed_in):
    quiz = make_quiz()
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)
    make_done = {"answers": "sent", "action": "hand_in", names(attempt)[0]: "a"}
    browser = signed_in(enrolment.user)
    address = f"/assessments/attempts/{attempt.id}"

    first = browser.post(address, data=make_done)
    second = browser.post(address, data=make_done | {names(attempt)[0]: "b"})

    assert first.location == second.location == f"{address}/result"
    assert "handed in before" in browser.get(second.location).text
    assert db.session.get(QuizAttempt, attempt.id).score == 1.0


def test_answers_after_time_are_not_taken_and_the_learner_is_told(app, signed_in):
    quiz = make_quiz(time_limit=5)
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)
    browser = signed_in(enrolment.user)
    address = f"/assessments/attempts/{attempt.id}"
    [name] = names(attempt)

    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False):
        assert "Time is over" in browser.get(address).text
        late = browser.post(address, data={"answers": "sent", "action": "hand_in", name: "a"})
        page = browser.get(late.location).text

    assert "The time of this attempt is over." in page
    assert db.session.get(QuizAttempt, attempt.id).score == 0.0


def test_a_late_autosave_closes_the_attempt(app, signed_in):
    quiz = make_quiz(time_limit=5)
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)
    [question_id] = attempt.question_ids

    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False):
        late = signed_in(enrolment.user).put(
            f"/assessments/attempts/{attempt.id}/responses/{question_id}",
            json={"values": {f"q{question_id}": ["a"]}},
        )

    assert late.status_code == 409
    assert "time of this attempt is over" in late.json["error"]["message"]
    assert not db.session.get(QuizAttempt, attempt.id).is_open


def test_when_the_timer_hands_in_nobody_is_asked_about_empty_questions(app, signed_in):
    quiz = make_quiz(kinds=("true_false", "true_false"), time_limit=5)
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)

    with time_machine.travel(attempt.deadline_at - timedelta(seconds=1), tick=False):
        sent = signed_in(enrolment.user).post(
            f"/assessments/attempts/{attempt.id}",
            data={"answers": "sent", names(attempt)[0]: "false"},
        )

    assert sent.location.endswith("/result")
    assert db.session.get(QuizAttempt, attempt.id).score == 0.5


@pytest.mark.parametrize(
    ("policy", "right", "shown"),
    [
        ("after_attempt", False, True),
        ("after_pass_or_last", False, False),
        ("after_pass_or_last", True, True),
        ("after_due", True, False),
        ("never", True, False),
    ],
)
def test_feedback_is_shown_when_the_rule_allows(app, signed_in, policy, right, shown):
    quiz = make_quiz(feedback=policy, attempts=2, due_day=15)
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)
    browser = signed_in(enrolment.user)
    [name] = names(attempt)
    browser.post(
        f"/assessments/attempts/{attempt.id}",
        data={"answers": "sent", name: "a" if right else "b"},
    )

    page = browser.get(f"/assessments/attempts/{attempt.id}/result").text

    assert ("Read it again." in page) is shown
    assert ("is-correct" in page) is shown


def test_the_last_attempt_opens_the_feedback(app, signed_in):
    quiz = make_quiz(feedback="after_pass_or_last", attempts=2)
    enrolment = make_learner(quiz)
    first = make_attempt(enrolment, quiz, {})
    browser = signed_in(enrolment.user)
    address = f"/assessments/attempts/{first.id}/result"
    assert "Read it again." not in browser.get(address).text

    make_attempt(enrolment, quiz, {})

    assert "Read it again." in browser.get(address).text


def test_feedback_after_the_due_date(app, signed_in):
    quiz = make_quiz(feedback="after_due", due_day=5)
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz, {})
    due_at = enrolment.run.due_at(quiz)
    browser = signed_in(enrolment.user)

    with time_machine.travel(due_at + timedelta(minutes=1), tick=False):
        page = browser.get(f"/assessments/attempts/{attempt.id}/result").text

    assert "Read it again." in page


def test_a_learner_who_reads_spanish_writes_numbers_the_spanish_way(app, signed_in):
    quiz = make_quiz(kinds=())
    question = make_question(quiz, "numerical", settings={"value": 1.25, "tolerance": 0})
    enrolment = make_learner(quiz, user=make_user(language="es"))
    attempt = make_attempt(enrolment, quiz)

    signed_in(enrolment.user).post(
        f"/assessments/attempts/{attempt.id}", data={"answers": "sent", f"q{question.id}": "1,250"}
    )

    assert db.session.get(QuizAttempt, attempt.id).score == 1.0


@pytest.mark.parametrize("attempts_made", [1, 20])
def test_queries_do_not_grow_with_questions_and_attempts(
    app, signed_in, count_queries, attempts_made
):
    quiz = make_quiz(kinds=ALL_KINDS * attempts_made)
    enrolment = make_learner(quiz)
    for _number in range(attempts_made):
        done = make_attempt(enrolment, quiz, {})
    running = make_attempt(enrolment, quiz)
    browser = signed_in(enrolment.user)
    for path in (
        f"/assessments/attempts/{running.id}",
        f"/assessments/attempts/{done.id}/result",
        f"/assessments/attempts/{running.id}/hand-in",
    ):
        count_queries()
        assert browser.get(path).status_code == 200
        assert count_queries() <= 12, path


def test_handing_in_takes_few_queries(app, signed_in, count_queries):
    quiz = make_quiz(kinds=ALL_KINDS * 5)
    make_activity(quiz.module)
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)
    browser, path = signed_in(enrolment.user), f"/assessments/attempts/{attempt.id}"
    count_queries()

    browser.post(path, data={"confirmed": "yes"})

    # PostgreSQL is asked for one thing more: the lock that keeps statements in their order
    assert count_queries() <= (28 if db.engine.dialect.name == "sqlite" else 29)


@pytest.mark.parametrize("sent", [["telescope"], ["telescope", " "]])
def test_an_answer_that_cannot_be_read_is_refused_and_keeps_the_earlier_one(signed_in, sent):
    quiz = make_quiz()
    attempt = make_attempt(make_learner(quiz), quiz)
    [question_id] = attempt.question_ids
    browser = signed_in(attempt.enrolment.user)
    path = f"/assessments/attempts/{attempt.id}/responses/{question_id}"
    browser.put(path, json={"values": {f"q{question_id}": ["a"]}})

    answer = browser.put(
        path, json={"values": {f"q{question_id}": sent}}, headers={"Accept": "*/*"}
    )

    assert answer.status_code == 422
    assert "cannot be read" in answer.json["error"]["message"]
    assert queries.responses_by_question(attempt)[question_id].response == ["a"]
    assert browser.put(path, json={"values": {f"q{question_id}": []}}).json["answered"] == 0


def test_the_study_page_of_a_quiz_has_one_primary_button(signed_in):
    quiz = make_quiz()
    make_activity(quiz.module)
    enrolment = make_learner(quiz)
    browser = signed_in(enrolment.user)
    path = f"/study/{enrolment.run_id}/{quiz.slug}"

    def primary() -> list[str]:
        main = browser.get(path).text.partition("<main")[2]
        return re.findall(r'class="button button-primary">\s*([A-Z][a-z]+)', main)

    assert primary() == ["Start"]
    attempt = make_attempt(enrolment, quiz)
    [question_id] = attempt.question_ids
    answers = {"answers": "sent", f"q{question_id}": "a", "confirmed": "yes"}
    browser.post(f"/assessments/attempts/{attempt.id}", data=answers)
    assert primary() == ["Next"]


def test_the_settings_of_a_course_with_many_quizzes_ask_few_queries(signed_in, count_queries):
    quiz = make_quiz()
    for number in range(6):
        make_question(make_activity(quiz.module, kind="quiz", slug=f"more-{number}"))
    browser = signed_in(make_instructor(quiz.course))
    path = f"/teach/courses/{quiz.course.slug}/settings"
    browser.get(path)  # keeps in the session that the person teaches
    count_queries()

    page = browser.get(path)

    assert page.status_code == 200
    assert count_queries() <= 12
