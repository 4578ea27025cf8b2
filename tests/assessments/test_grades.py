from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import select

from lms.accounts.models import User
from lms.assessments import queries
from lms.core.db import db
from lms.core.personal_data import personal_data
from lms.xapi.models import StoredStatement
from tests.factories.accounts import make_administrator, make_user
from tests.factories.assessments import make_attempt, make_quiz
from tests.factories.courses import (
    make_activity,
    make_enrolment,
    make_instructor,
    make_module,
    make_run,
)


def make_run_with_quiz(kinds=("multiple_choice", "short_text"), **values):
    run = make_run()
    return run, make_quiz(make_module(run.course), kinds, **values)


def test_a_learner_sees_only_their_own_grades(app, signed_in, client):
    run, quiz = make_run_with_quiz(attempts=3)
    make_activity(quiz.module)
    mine, theirs = make_enrolment(run), make_enrolment(run)
    first, second = queries.list_questions(quiz)
    make_attempt(mine, quiz, {first.id: ["a"]})
    make_attempt(theirs, quiz, {first.id: ["a"], second.id: "stakeholder map"})
    path = f"/study/{run.id}/grades"

    page = signed_in(mine.user).get(path).text

    assert "50 %" in page
    assert "100 %" not in page
    assert "1 / 3" in page
    assert client.get(path).status_code == 302
    assert signed_in(make_user()).get(path).status_code == 404
    assert signed_in(make_administrator()).get(path).status_code == 404


def test_the_study_page_links_to_grades(app, signed_in):
    run, quiz = make_run_with_quiz()
    learner, teacher = make_enrolment(run).user, make_instructor(run.course)
    path = f"/study/{run.id}/{quiz.slug}"

    assert f"/study/{run.id}/grades" in signed_in(learner).get(path).text
    page = signed_in(teacher).get(path).text
    assert f"/assessments/runs/{run.id}/gradebook" in page
    assert "Start the quiz" not in page


def test_instructors_see_all_grades_and_download_them(app, signed_in, client):
    run, quiz = make_run_with_quiz()
    first, second = queries.list_questions(quiz)
    good = make_enrolment(run, make_user(name="Ana Quispe"))
    evil = make_enrolment(run, make_user(name='=HYPERLINK("http://x")', email="+a@example.org"))
    make_enrolment(run, make_user(name="Gone Person"), state="withdrawn")
    make_attempt(good, quiz, {first.id: ["a"], second.id: "mapa de actores"})
    make_attempt(evil, quiz, {})
    path = f"/assessments/runs/{run.id}/gradebook"
    teacher = signed_in(make_instructor(run.course))

    page = teacher.get(path).text
    file = teacher.get(f"{path}.csv")

    assert "Ana Quispe" in page
    assert "Gone Person" not in page
    assert file.content_type == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(file.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[0][0] == "Name"
    assert rows[1][:3] == ['\'=HYPERLINK("http://x")', "'+a@example.org", "0.0"]
    assert rows[2][:4] == ["Ana Quispe", good.user.email, "100.0", "100.0"]
    for forbidden in (good.user, make_instructor(make_run().course), make_user()):
        for address in (path, f"{path}.csv", f"/assessments/runs/{run.id}/quizzes/{quiz.id}"):
            assert signed_in(forbidden).get(address).status_code == 403
            assert client.get(address).status_code == 302


def test_results_tell_how_hard_each_question_was(app, signed_in):
    run, quiz = make_run_with_quiz(pass_score=0.5)
    first, second = queries.list_questions(quiz)
    for chosen, text in (("a", "stakeholder map"), ("b", None), ("b", "a list"), ("c", "a list")):
        make_attempt(make_enrolment(run), quiz, {first.id: [chosen], second.id: text})
    make_attempt(make_enrolment(make_run(run.course)), quiz, {first.id: ["c"]})  # another run

    by_slug = {f.question.slug: f for f in queries.question_figures(run, quiz)}
    figures = queries.figures_of(run, quiz)

    assert (figures.learners, figures.attempts, figures.passed) == (4, 4, 1)
    assert figures.mean == pytest.approx(0.25)
    choice, text = by_slug[first.slug], by_slug[second.slug]
    assert (choice.asked, choice.facility) == (4, pytest.approx(0.25))
    assert (choice.wrong_response, choice.wrong_count) == (["b"], 2)
    assert (text.wrong_response, text.wrong_count) == ("a list", 2)
    page = signed_in(make_instructor(run.course)).get(
        f"/assessments/runs/{run.id}/quizzes/{quiz.id}"
    )
    assert "The company" in page.text


def test_results_open_each_attempt_with_its_answers(app, signed_in):
    run, quiz = make_run_with_quiz(feedback="never")
    first, _second = queries.list_questions(quiz)
    attempt = make_attempt(make_enrolment(run), quiz, {first.id: ["b"]})
    teacher = signed_in(make_instructor(run.course))
    page = teacher.get(f"/assessments/runs/{run.id}/quizzes/{quiz.id}").text
    address = f"/assessments/attempts/{attempt.id}/result"
    assert address in page

    result = teacher.get(address).text

    assert attempt.enrolment.user.name in result
    assert "Your answer, wrong" in result
    assert "Start attempt" not in result


def test_a_quiz_of_another_course_has_no_results_here(app, signed_in):
    run, _quiz = make_run_with_quiz()
    _other_run, other = make_run_with_quiz()

    page = signed_in(make_administrator()).get(f"/assessments/runs/{run.id}/quizzes/{other.id}")

    assert page.status_code == 404


@pytest.mark.parametrize("learners", [2, 30])
def test_lists_of_learners_take_few_queries(app, signed_in, count_queries, learners):
    run, quiz = make_run_with_quiz()
    make_quiz(quiz.module)
    for _number in range(learners):
        make_attempt(make_enrolment(run), quiz, {})
    teacher = signed_in(make_instructor(run.course))
    pages = ("gradebook", "gradebook.csv", f"quizzes/{quiz.id}", "gradebook?page=2")
    for path in [f"/assessments/runs/{run.id}/{page}" for page in pages]:
        count_queries()
        assert teacher.get(path).status_code == 200
        assert count_queries() <= 12, path


def test_own_grades_take_few_queries(app, signed_in, count_queries):
    run, quiz = make_run_with_quiz()
    enrolment = make_enrolment(run)
    for _number in range(8):
        make_attempt(enrolment, make_quiz(quiz.module), {})
    learner = signed_in(enrolment.user)
    learner.get("/my/courses")  # keeps in the session what the menus show
    count_queries()

    assert learner.get(f"/study/{run.id}/grades").status_code == 200
    assert count_queries() <= 12


def test_the_study_page_with_many_quizzes_takes_few_queries(app, signed_in, count_queries):
    run, quiz = make_run_with_quiz()
    for _number in range(8):
        make_quiz(quiz.module)
    browser, path = signed_in(make_enrolment(run).user), f"/study/{run.id}/{quiz.slug}"
    count_queries()

    assert browser.get(path).status_code == 200
    assert count_queries() <= 12


def statements() -> list[dict]:
    rows = db.session.scalars(select(StoredStatement).order_by(StoredStatement.id))
    return [json.loads(row.document) for row in rows]


def verbs(found: list[dict]) -> list[str]:
    return [statement["verb"]["id"].rsplit("/", 1)[-1] for statement in found]


def test_learning_records_follow_cmi5(app):
    run, quiz = make_run_with_quiz(pass_score=0.7)
    first, second = queries.list_questions(quiz)
    enrolment = make_enrolment(run)

    make_attempt(enrolment, quiz, {first.id: ["a"]})
    make_attempt(enrolment, quiz, {first.id: ["a"], second.id: "mapa de actores"})
    make_attempt(enrolment, quiz, {})

    kinds = ("answered", "passed", "failed", "scored")
    about_quiz = [s for s in statements() if "/course/" not in s["object"]["id"]]
    found = [s for s in about_quiz if verbs([s])[0] in kinds]
    assert verbs(found) == ["answered", "failed", "answered", "answered", "passed", "scored"]
    answered, failed, *_more, passed, scored = found
    definition = answered["object"]["definition"]
    assert definition["interactionType"] == "choice"
    assert definition["correctResponsesPattern"] == ["a"]
    assert [choice["id"] for choice in definition["choices"]] == ["a", "b", "c"]
    assert answered["result"] == {"response": "a", "success": True, "score": {"scaled": 1.0}}
    assert failed["result"]["success"] is False
    assert failed["result"]["score"] == {"scaled": 0.5, "raw": 1.0, "min": 0, "max": 2.0}
    assert failed["result"]["duration"].startswith("PT")
    assert passed["result"]["success"] is True
    assert passed["context"]["registration"] == str(enrolment.registration)
    assert 0.7 in passed["context"]["extensions"].values()
    assert "success" not in scored["result"]


def test_a_persons_answers_are_given_out_and_erased(app):
    run, quiz = make_run_with_quiz()
    _first, second = queries.list_questions(quiz)
    mine, theirs = make_enrolment(run), make_enrolment(run)
    for enrolment in (mine, theirs):
        make_attempt(enrolment, quiz, {second.id: f"I am {enrolment.user.name}"})
    room = personal_data["assessments"]

    [exported] = room.export(mine.user_id)
    assert f"I am {mine.user.name}" in [r["response"] for r in exported["responses"]]
    room.erase(mine.user_id)
    db.session.commit()

    assert not [r for r in room.export(mine.user_id)[0]["responses"] if r["response"]]
    assert [r for r in room.export(theirs.user_id)[0]["responses"] if r["response"]]
    assert db.session.get(User, mine.user_id)
