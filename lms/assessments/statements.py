"""What learners do in quizzes, as xAPI statements after the rules of cmi5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lms.assessments import queries
from lms.assessments.events import AttemptSubmitted
from lms.assessments.models import Question, QuestionResponse, QuizAttempt, QuizRules
from lms.assessments.question_types.base import question_types
from lms.core.markdown import plain_text
from lms.courses.statements import activity_of, context_of
from lms.xapi.mapping import StatementDraft, StatementMapping
from lms.xapi.profile.templates import MASTERY_SCORE
from lms.xapi.vocabulary import activity, activity_iri, iso_duration


def _submitted(event: AttemptSubmitted) -> Iterator[StatementDraft]:
    attempt = event.attempt
    responses = queries.responses_by_question(attempt)
    for question_id in attempt.question_ids:
        response = responses.get(question_id)
        if response is None or response.response is None:
            continue
        if response.question.kind in question_types:
            yield _answered(attempt, response.question, response)
    yield _result(attempt)


def _answered(
    attempt: QuizAttempt, question: Question, response: QuestionResponse
) -> StatementDraft:
    """One answered question, with the question's own definition (xAPI 1.0.3, 2.4.4.1)."""
    kind = question_types[question.kind]
    score = response.score or 0.0
    context = context_of(attempt.enrolment, attempt.activity)
    return StatementDraft(
        user=attempt.enrolment.user,
        verb="answered",
        object=question_activity(question),
        registration=attempt.enrolment.registration,
        result={
            "response": kind.xapi_response(question.settings, response.response),
            "success": score >= 1.0,
            "score": {"scaled": score},
        },
        context_activities={**context, "parent": [activity_of(attempt.activity)]},
        timestamp=attempt.submitted_at,
        language=attempt.enrolment.user.language,
    )


def question_activity(question: Question) -> dict[str, Any]:
    """The question as an xAPI interaction activity."""
    kind = question_types[question.kind]
    text = {code: plain_text(prompt) for code, prompt in question.prompt.items()}
    thing = activity(activity_iri("question", question.uuid), "question", {}, text)
    thing["definition"]["interactionType"] = kind.xapi_interaction_type
    thing["definition"].update(kind.xapi_definition(question.settings))
    return thing


def _result(attempt: QuizAttempt) -> StatementDraft:
    """Passed or failed. After a pass there is neither any more (cmi5 9.3.6): only "scored"."""
    rules = QuizRules.of(attempt.activity.settings)
    earlier = queries.list_attempts(attempt.enrolment, attempt.activity)
    has_passed = any(a.is_passed for a in earlier if a.id != attempt.id)
    result: dict[str, Any] = {
        "score": {
            "scaled": attempt.score,
            "raw": attempt.points,
            "min": 0,
            "max": attempt.max_points,
        },
        "duration": iso_duration(attempt.seconds or 0.0),
    }
    if not attempt.max_points:  # min must be less than max
        result["score"] = {"scaled": attempt.score}
    context = context_of(attempt.enrolment, attempt.activity)
    extensions: dict[str, Any] = {}
    if not has_passed:
        result["success"] = bool(attempt.is_passed)
        extensions[MASTERY_SCORE] = rules.pass_score
    verb = "scored" if has_passed else "passed" if attempt.is_passed else "failed"
    return StatementDraft(
        user=attempt.enrolment.user,
        verb=verb,
        object=activity_of(attempt.activity),
        registration=attempt.enrolment.registration,
        result=result,
        context_activities=context,
        extensions=extensions,
        language=attempt.enrolment.user.language,
        timestamp=attempt.submitted_at,
    )


mappings = [StatementMapping("assessments.attempt_submitted", AttemptSubmitted, _submitted)]
