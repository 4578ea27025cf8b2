from __future__ import annotations

import itertools
from typing import Any

from lms.assessments.models import Question, QuizAttempt
from lms.assessments.services import attempts
from lms.core.db import db
from lms.courses.models import Activity, Enrolment, Module
from tests.factories.courses import make_activity, make_enrolment, make_run

_numbers = itertools.count(1)

SETTINGS: dict[str, dict[str, Any]] = {
    "multiple_choice": {
        "single": True,
        "choices": [
            {
                "id": "a",
                "correct": True,
                "text": {"en": "The council", "es": "El concejo"},
                "feedback": {"en": "It votes the budget."},
            },
            {"id": "b", "text": {"en": "The company", "es": "La empresa"}},
            {"id": "c", "text": {"en": "Nobody", "es": "Nadie"}},
        ],
    },
    "true_false": {"correct": False},
    "numerical": {"value": 12.5, "tolerance": 0.5, "unit": {"en": "people", "es": "personas"}},
    "short_text": {
        "accept": {"en": ["stakeholder map"], "es": ["mapa de actores"]},
        "case_sensitive": False,
    },
}
RIGHT: dict[str, Any] = {
    "multiple_choice": ["a"],
    "true_false": False,
    "numerical": {"text": "12.5", "value": 12.5},
    "short_text": "stakeholder map",
}
WRONG: dict[str, Any] = {
    "multiple_choice": ["b"],
    "true_false": True,
    "numerical": {"text": "80", "value": 80},
    "short_text": "a list",
}


def make_quiz(
    module: Module | None = None, kinds: tuple[str, ...] = ("multiple_choice",), **values: Any
) -> Activity:
    """A quiz with one question of each of the kinds; further values are its settings."""
    completion = values.pop("completion", "submitted")
    due_day = values.pop("due_day", None)
    quiz = make_activity(
        module, kind="quiz", completion=completion, due_day=due_day, settings=values
    )
    for kind in kinds:
        make_question(quiz, kind)
    return quiz


def make_question(quiz: Activity, kind: str = "multiple_choice", **values: Any) -> Question:
    number = next(_numbers)
    position = values.pop("position", number)
    values.setdefault("slug", f"question-{number}")
    values.setdefault("prompt", {"en": f"Question {number}?", "es": f"¿Pregunta {number}?"})
    values.setdefault("settings", SETTINGS[kind])
    values.setdefault("feedback", {"en": "Read it again."})
    question = Question(activity=quiz, kind=kind, position=position, **values)
    db.session.add(question)
    db.session.commit()
    return question


def make_learner(quiz: Activity, **values: Any) -> Enrolment:
    """An enrolment in a new run of the quiz's course."""
    return make_enrolment(make_run(quiz.course), **values)


def make_attempt(
    enrolment: Enrolment, quiz: Activity, responses: dict[int, Any] | None = None
) -> QuizAttempt:
    """An attempt: open, or handed in when `responses` (question id -> response) are given."""
    attempt = attempts.start_attempt(enrolment, quiz)
    if responses is not None:
        attempts.submit_attempt(attempt, responses)
    db.session.commit()
    return attempt


def answers(attempt: QuizAttempt, right: bool = True) -> dict[int, Any]:
    """All right, or all wrong, responses to the questions of an attempt."""
    chosen = RIGHT if right else WRONG
    return {id_: chosen[db.session.get_one(Question, id_).kind] for id_ in attempt.question_ids}
