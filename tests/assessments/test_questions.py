from __future__ import annotations

from pathlib import Path

import pytest

from lms.assessments import queries
from lms.assessments.services import questions as services
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.activity_types.base import activity_types
from lms.courses.errors import PackageError
from lms.courses.packages.yaml_text import read_yaml
from tests.factories.accounts import make_administrator, make_user
from tests.factories.assessments import (
    SETTINGS,
    answers,
    make_attempt,
    make_learner,
    make_question,
    make_quiz,
)
from tests.factories.courses import make_activity, make_instructor

DOCUMENT = {
    "kind": "quiz",
    "title": {"en": "Quiz"},
    "settings": {
        "attempts": 3,
        "pass_score": 0.7,
        "grading": "best",
        "shuffle": True,
        "draw": 2,
        "feedback": "after_attempt",
        "questions": [
            {
                "id": f"{kind.replace('_', '-')}-1",
                "kind": kind,
                "prompt": {"en": "What?", "es": "¿Qué?"},
                **SETTINGS[kind],
                "feedback": {"en": "So.", "es": "Así."},
                "points": points,
            }
            for kind, points in zip(SETTINGS, (1, 2, 0.5, 1), strict=True)
        ],
    },
}


def take(quiz, document=DOCUMENT):
    kind = activity_types["quiz"]
    quiz.settings = kind.check_settings(document["settings"], "quiz.yaml, settings")
    kind.import_extra(quiz, document, "quiz.yaml")
    db.session.commit()


def changed(question_number=0, **keys):
    questions = [dict(q) for q in DOCUMENT["settings"]["questions"]]
    questions[question_number].update(keys)
    return DOCUMENT | {"settings": DOCUMENT["settings"] | {"questions": questions}}


def test_a_package_is_taken_and_given_back_without_loss(app):
    quiz = make_quiz(kinds=())
    take(quiz)

    exported = activity_types["quiz"].export_extra(quiz)

    assert exported["settings"] == DOCUMENT["settings"]
    assert "questions" not in quiz.settings


QUIZ_FILES = [
    path
    for path in sorted(Path(__file__).parents[2].glob("content_packages/*/modules/*/*.yaml"))
    if path.read_text("utf-8").startswith("kind: quiz")
]


@pytest.mark.parametrize("path", QUIZ_FILES, ids=lambda path: path.stem)
def test_the_quizzes_that_are_shipped_come_back_without_loss(app, path):
    document = read_yaml(path.read_bytes(), path.name).data
    quiz = make_quiz(kinds=())
    take(quiz, document)

    assert activity_types["quiz"].export_extra(quiz)["settings"] == document["settings"]


def test_questions_beside_the_settings_are_taken_too(app):
    quiz = make_quiz(kinds=())
    questions = DOCUMENT["settings"]["questions"]
    activity_types["quiz"].import_extra(quiz, {"settings": {}, "questions": questions}, "q.yaml")

    assert len(queries.list_questions(quiz)) == 4


def test_a_second_import_keeps_attempts_and_the_questions_in_them(app):
    quiz = make_quiz(kinds=())
    take(quiz)
    attempt = make_attempt(make_learner(quiz), quiz)
    services_before = {q.slug: q.id for q in queries.list_questions(quiz)}
    make_attempt(attempt.enrolment, quiz)
    from lms.assessments.services.attempts import submit_attempt

    submit_attempt(attempt, answers(attempt))
    db.session.commit()

    take(quiz, changed(0, prompt={"en": "Which?"}))

    assert {q.slug: q.id for q in queries.list_questions(quiz)} == services_before
    assert attempt.score == 1.0
    assert queries.list_questions(quiz)[0].prompt == {"en": "Which?"}


def test_a_question_that_left_the_package_is_retired_and_comes_back(app):
    quiz = make_quiz(kinds=())
    take(quiz)
    fewer = DOCUMENT["settings"]["questions"][1:]
    take(quiz, DOCUMENT | {"settings": DOCUMENT["settings"] | {"questions": fewer}})
    assert [q.slug for q in queries.list_questions(quiz)] == [q["id"] for q in fewer]
    [gone] = queries.list_questions(quiz, is_retired=True)

    take(quiz)

    assert queries.list_questions(quiz)[0].id == gone.id
    assert not queries.list_questions(quiz, is_retired=True)


def test_a_new_key_gives_an_answered_question_a_successor(app):
    quiz = make_quiz(kinds=("true_false",))
    [question] = queries.list_questions(quiz)
    attempt = make_attempt(make_learner(quiz), quiz, {question.id: False})

    content = services.check_content(
        {"kind": "true_false", "prompt": {"en": "Sure?"}, "correct": True}, "here"
    )
    successor = services.edit_question(question, content)
    db.session.commit()

    assert successor.id != question.id
    assert (successor.slug, question.is_retired) == (question.slug, True)
    assert question.settings == {"correct": False}
    assert attempt.score == 1.0
    assert queries.list_questions(quiz) == [successor]


def test_a_new_key_before_anybody_answered_changes_the_question_itself(app):
    quiz = make_quiz(kinds=("true_false",))
    [question] = queries.list_questions(quiz)
    content = services.check_content(
        {"kind": "true_false", "prompt": {"en": "Sure?"}, "correct": True}, "here"
    )

    assert services.edit_question(question, content) is question


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"attempts": -1}, "attempts"),
        ({"attempts": 1.5}, "attempts"),
        ({"attempts": True}, "attempts"),
        ({"time_limit": 0}, "time_limit"),
        ({"pass_score": 1.2}, "pass_score"),
        ({"pass_score": float("nan")}, "pass_score"),
        ({"grading": "mean"}, "grading"),
        ({"shuffle": "yes"}, "shuffle"),
        ({"draw": 0}, "draw"),
        ({"feedback": "always"}, "feedback"),
        ({"colour": "red"}, "settings"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(app, given, place):
    with pytest.raises(PackageError) as refused:
        activity_types["quiz"].check_settings(given, "quiz.yaml, settings")
    assert place in refused.value.where


@pytest.mark.parametrize(
    "questions",
    [
        {"a": 1},
        ["a"],
        [{"kind": "true_false", "prompt": {"en": "?"}, "correct": True}],
        [{"id": "A B", "kind": "true_false", "prompt": {"en": "?"}, "correct": True}],
        [{"id": "a", "kind": "essay", "prompt": {"en": "?"}}],
        [{"id": "a", "kind": ["x"], "prompt": {"en": "?"}}],
        [{"id": "a", "kind": "true_false", "correct": True}],
        [{"id": "a", "kind": "true_false", "prompt": "Text", "correct": True}],
        [{"id": "a", "kind": "true_false", "prompt": {"en": "?"}, "correct": True, "points": 0}],
        [{"id": "a", "kind": "true_false", "prompt": {"en": "?"}, "correct": True, "x": 0}],
        [{"id": "a", "kind": "true_false", "prompt": {"en": "?"}, "correct": True}] * 2,
    ],
)
def test_a_wrong_question_of_a_package_is_refused(app, questions):
    quiz = make_quiz()
    with pytest.raises(PackageError) as refused:
        activity_types["quiz"].import_extra(quiz, {"settings": {"questions": questions}}, "q.yaml")
    assert refused.value.where.startswith("q.yaml, settings.questions")
    assert len(queries.list_questions(quiz)) == 1


def test_what_keeps_a_quiz_from_being_published(app):
    problems = activity_types["quiz"].problems
    assert problems(make_quiz(kinds=())) == ["This quiz has no questions yet. Add at least one."]
    assert "draws 3 questions" in problems(make_quiz(draw=3))[0]
    assert "Set a due day" in problems(make_quiz(feedback="after_due"))[0]
    assert problems(make_quiz(feedback="after_due", due_day=3, draw=1)) == []


def test_the_settings_form_shows_and_reads_what_is_kept(app):
    from werkzeug.datastructures import MultiDict

    quiz_type = activity_types["quiz"]
    kept = {k: v for k, v in DOCUMENT["settings"].items() if k != "questions"}
    with app.test_request_context():
        form_class = quiz_type.settings_form(None)
        shown = form_class(data=kept)
        assert 'value="70"' in shown.pass_score()
        sent = {f.name: f._value() for f in shown if hasattr(f, "_value")}
        sent |= {"grading": "best", "feedback": "after_attempt", "shuffle": "y"}
        form = form_class(MultiDict(sent))
        assert form.validate(), form.errors
        assert quiz_type.check_settings(form.data, "here") == kept


def test_the_settings_are_edited_on_the_authoring_page_of_the_activity(app, signed_in):
    quiz = make_quiz(pass_score=0.7, draw=1)
    author = signed_in(make_instructor(quiz.course))
    path = f"/teach/courses/{quiz.course.slug}/activities/{quiz.id}/en"
    page = author.get(path).text
    assert f"/assessments/quizzes/{quiz.id}/questions" in page
    assert 'value="70"' in page
    edition = page.split('name="edition"')[1].split('value="')[1].split('"')[0]
    form = {
        "edition": edition,
        "title": "Quiz",
        "text": "",
        "module": quiz.module_id,
        "completion": "passed",
        "is_required": "y",
        "settings-attempts": "3",
        "settings-time_limit": "",
        "settings-pass_score": "62,5 %",
        "settings-grading": "last",
        "settings-draw": "",
        "settings-feedback": "never",
    }

    wrong = author.post(path, data=form | {"settings-pass_score": "162"})
    saved = author.post(path, data=form)

    assert wrong.status_code == 422
    assert saved.status_code == 303, saved.text
    assert quiz.completion == "passed"
    assert quiz.settings == {
        "attempts": 3,
        "pass_score": 0.625,
        "grading": "last",
        "shuffle": False,
        "feedback": "never",
    }


def test_a_course_with_an_empty_quiz_cannot_be_published(app, signed_in):
    quiz = make_quiz(kinds=())
    quiz.course.state = "draft"
    db.session.commit()
    author = signed_in(make_instructor(quiz.course))

    author.post(f"/teach/courses/{quiz.course.slug}/publish")

    assert quiz.course.state == "draft"
    assert (
        "This quiz has no questions yet."
        in author.get(f"/teach/courses/{quiz.course.slug}/settings").text
    )


def question_form(**changes):
    return {
        "prompt-en": "Who votes?",
        "prompt-es": "¿Quién vota?",
        "special-choices-0-text-en": "All",
        "special-choices-0-correct": "y",
        "special-choices-0-feedback-en": "Right.",
        "special-choices-1-text-en": "Nobody",
        "points": "2",
        **changes,
    }


def test_an_author_writes_edits_copies_orders_and_retires_questions(app, signed_in):
    quiz = make_quiz(kinds=())
    author = signed_in(make_instructor(quiz.course))
    bank = f"/assessments/quizzes/{quiz.id}/questions"
    assert "No questions yet" in author.get(bank).text
    assert author.get(f"{bank}/new?kind=multiple_choice").status_code == 200

    added = author.post(f"{bank}/new?kind=multiple_choice", data=question_form())
    assert added.status_code == 303
    [question] = queries.list_questions(quiz)
    assert question.points == 2
    assert [c["id"] for c in question.settings["choices"]] == ["a", "b"]
    page = author.get(f"/assessments/questions/{question.id}").text
    assert "Who votes?" in page
    author.post(
        f"/assessments/questions/{question.id}",
        data=question_form(**{"special-choices-0-id": "a", "prompt-en": "Who decides?"}),
    )
    copied = author.post(f"/assessments/questions/{question.id}/copy")
    assert author.get(copied.location).status_code == 200
    first, second = queries.list_questions(quiz)
    assert first.prompt["en"] == second.prompt["en"] == "Who decides?"
    author.post(f"{bank}/order", data={"order": f"{second.id},{first.id}"})
    assert queries.list_questions(quiz) == [second, first]
    author.post(f"{bank}/order", data={"item": first.id, "direction": "up"})
    assert queries.list_questions(quiz) == [first, second]
    author.post(f"/assessments/questions/{second.id}/retire")
    assert queries.list_questions(quiz) == [first]
    assert "Retired questions" in author.get(bank).text
    author.post(f"/assessments/questions/{second.id}/restore")
    assert queries.list_questions(quiz) == [first, second]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt-en": "", "prompt-es": ""}, "Write the question in at least one language."),
        ({"special-choices-0-correct": ""}, "No choice is marked as right."),
        ({"special-choices-1-text-en": ""}, "A question needs 2 to 20 choices."),
        ({"points": "many"}, "This is not a number."),
        ({"points": "0"}, "Number must be between"),
        ({"special-choices-1-correct": "y"}, "Only one choice can be right"),
    ],
)
def test_a_wrong_question_comes_back_with_what_was_typed(app, signed_in, changes, message):
    quiz = make_quiz(kinds=())
    author = signed_in(make_instructor(quiz.course))
    data = question_form(**changes)
    if data["special-choices-0-correct"] == "":
        del data["special-choices-0-correct"]

    answer = author.post(
        f"/assessments/quizzes/{quiz.id}/questions/new?kind=multiple_choice", data=data
    )

    assert answer.status_code == 422
    assert message in answer.text
    assert "All" in answer.text
    assert not queries.list_questions(quiz)


@pytest.mark.parametrize("name", list(SETTINGS))
def test_every_kind_can_be_written_and_tried_in_the_browser(app, signed_in, name):
    quiz = make_quiz(kinds=(name,))
    [question] = queries.list_questions(quiz)
    author = signed_in(make_instructor(quiz.course))

    edit = author.get(f"/assessments/questions/{question.id}")
    new = author.get(f"/assessments/quizzes/{quiz.id}/questions/new?kind={name}")
    asked = author.get(f"/assessments/questions/{question.id}/preview")
    tried = author.post(f"/assessments/questions/{question.id}/preview", data={})
    whole = author.get(f"/assessments/quizzes/{quiz.id}/preview")

    assert {r.status_code for r in (edit, new, asked, tried, whole)} == {200}
    assert "Read it again." in tried.text
    assert question.prompt["en"] in whole.text


def test_only_authors_reach_the_bank(app, signed_in, client):
    quiz = make_quiz()
    [question] = queries.list_questions(quiz)
    learner = make_learner(quiz).user
    elsewhere = make_instructor(make_quiz().course)
    paths = [
        ("GET", f"/assessments/quizzes/{quiz.id}/questions"),
        ("GET", f"/assessments/quizzes/{quiz.id}/preview"),
        ("GET", f"/assessments/quizzes/{quiz.id}/questions/new?kind=true_false"),
        ("POST", f"/assessments/quizzes/{quiz.id}/questions/new?kind=true_false"),
        ("POST", f"/assessments/quizzes/{quiz.id}/questions/order"),
        ("GET", f"/assessments/questions/{question.id}"),
        ("POST", f"/assessments/questions/{question.id}"),
        ("GET", f"/assessments/questions/{question.id}/preview"),
        ("POST", f"/assessments/questions/{question.id}/preview"),
        ("POST", f"/assessments/questions/{question.id}/copy"),
        ("POST", f"/assessments/questions/{question.id}/retire"),
        ("POST", f"/assessments/questions/{question.id}/restore"),
    ]
    for method, path in paths:
        assert client.open(path, method=method).status_code == 302, path
        for person in (learner, elsewhere, make_user()):
            assert signed_in(person).open(path, method=method).status_code == 403, path
    admin = signed_in(make_administrator())
    assert admin.get(f"/assessments/quizzes/{quiz.id}/questions").status_code == 200
    assert not question.is_retired


def test_what_does_not_exist_is_not_found(app, signed_in):
    quiz, page = make_quiz(), make_activity()
    admin = signed_in(make_administrator())

    for path in (
        f"/assessments/quizzes/{page.id}/questions",
        "/assessments/quizzes/987654/questions",
        f"/assessments/quizzes/{quiz.id}/questions/new?kind=essay",
        "/assessments/questions/987654",
        "/assessments/attempts/987654",
        "/assessments/runs/987654/gradebook",
    ):
        assert admin.get(path).status_code == 404, path


@pytest.mark.parametrize(
    "data", [{}, {"order": ""}, {"order": "1,x"}, {"item": "x", "direction": "up"}]
)
def test_a_broken_order_is_refused(app, signed_in, data):
    quiz = make_quiz()
    author = signed_in(make_instructor(quiz.course))

    answer = author.post(f"/assessments/quizzes/{quiz.id}/questions/order", data=data)

    assert answer.status_code == 422


def test_questions_of_another_quiz_cannot_be_ordered(app):
    quiz, other = make_quiz(), make_question(make_quiz())

    with pytest.raises(NotFound):
        services.reorder_questions(quiz, [other.id])


def test_the_bank_takes_few_queries(app, signed_in, count_queries):
    quiz = make_quiz(kinds=tuple(SETTINGS) * 10)
    author = signed_in(make_instructor(quiz.course))
    for path in ("questions", "preview"):
        count_queries()
        assert author.get(f"/assessments/quizzes/{quiz.id}/{path}").status_code == 200
        assert count_queries() <= 12
