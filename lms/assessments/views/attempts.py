"""Taking a quiz: start, answer, save, hand in, see the result."""

from __future__ import annotations

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from lms.accounts.permissions import can, require, signed_in
from lms.assessments import queries
from lms.assessments.errors import AttemptClosed, TimeOver
from lms.assessments.models import Closing, Question, QuizAttempt, QuizRules
from lms.assessments.question_types.base import Response, question_types
from lms.assessments.services import attempts as services
from lms.assessments.views import bp
from lms.assessments.views.shared import (
    control_name,
    items_of,
    reading,
    reading_language,
    study_url,
)
from lms.core import clock
from lms.core.errors import InvalidInput, NotFound
from lms.courses.queries.courses import get_activity

NEARLY_OVER = 5  # seconds before the deadline from which nobody is asked to confirm


@bp.post("/study/<int:run_id>/<slug>/attempts")
def start_attempt(run_id: int, slug: str) -> ResponseReturnValue:
    """Begin an attempt, or go on with the open one."""
    enrolment = queries.get_own_enrolment(run_id, signed_in())
    require("assessments.take", enrolment)
    activity = get_activity(enrolment.run.course, slug)
    if activity.kind != queries.QUIZ:
        raise NotFound
    attempt = services.start_attempt(enrolment, activity)
    if not attempt.is_open:
        flash(str(TimeOver.message), "warning")
    return redirect(url_for(".show_attempt", attempt_id=attempt.id), 303)


@bp.get("/assessments/attempts/<int:attempt_id>")
def show_attempt(attempt_id: int) -> ResponseReturnValue:
    """All questions of an open attempt on one page."""
    attempt = queries.get_attempt(attempt_id)
    if not attempt.is_open:
        require("assessments.see_attempt", attempt)
        return redirect(url_for(".show_result", attempt_id=attempt.id), 303)
    require("assessments.take", attempt.enrolment)
    now = clock.now()
    language = reading_language(attempt.activity.course)
    is_over = attempt.is_overdue(now)
    items = []
    if not is_over:
        questions = queries.questions_by_id(attempt.question_ids)
        responses = queries.responses_by_question(attempt)
        with reading(language):
            items = items_of(attempt, questions, responses)
    return render_template(
        "assessments/attempt.html",
        attempt=attempt,
        activity=attempt.activity,
        run=attempt.enrolment.run,
        rules=QuizRules.of(attempt.activity.settings),
        items=items,
        answered=sum(item.is_answered for item in items),
        is_over=is_over,
        at=now,
        language=language,
        back_url=study_url(attempt.enrolment.run, attempt.activity),
    )


@bp.post("/assessments/attempts/<int:attempt_id>")
def submit_attempt(attempt_id: int) -> ResponseReturnValue:
    """Save the answers, or hand in the attempt and show its result."""
    attempt = queries.get_attempt(attempt_id)
    require("assessments.take", attempt.enrolment)
    questions = queries.questions_by_id(attempt.question_ids)
    responses = _sent(attempt, questions) if "answers" in request.form else {}
    try:
        if request.form.get("action") == "save":
            services.save_responses(attempt, responses)
            flash(_("Your answers are saved. Hand in when you are done."), "success")
            return redirect(url_for(".show_attempt", attempt_id=attempt.id), 303)
        if _is_to_be_confirmed(attempt, responses):
            services.save_responses(attempt, responses)
            return redirect(url_for(".confirm_hand_in", attempt_id=attempt.id), 303)
        services.submit_attempt(attempt, responses)
    except TimeOver:
        services.submit_attempt(attempt)
    except AttemptClosed:
        flash(_("This attempt was handed in before. Here is its result."), "info")
    else:
        flash(_("Your answers are handed in."), "success")
    if attempt.closing == Closing.TIME_OVER:
        flash(str(TimeOver.message), "warning")
    return redirect(url_for(".show_result", attempt_id=attempt.id), 303)


def _sent(attempt: QuizAttempt, questions: dict[int, Question]) -> dict[int, Response]:
    """What the form says to each question of the attempt; other fields are ignored."""
    return {question.id: _read(attempt, question, request.form) for question in questions.values()}


def _read(attempt: QuizAttempt, question: Question, values: MultiDict[str, str]) -> Response:
    language = reading_language(attempt.activity.course)
    kind = question_types[question.kind]
    return kind.read(question.settings, values, control_name(question), language)


def _is_to_be_confirmed(attempt: QuizAttempt, responses: dict[int, Response]) -> bool:
    """Whether questions stay empty, and the learner has not yet said that this is meant."""
    is_complete = bool(responses) and all(r is not None for r in responses.values())
    if "confirmed" in request.form or is_complete:
        return False
    return attempt.deadline_at is None or (
        (attempt.deadline_at - clock.now()).total_seconds() >= NEARLY_OVER
    )


@bp.put("/assessments/attempts/<int:attempt_id>/responses/<int:question_id>")
def save_response(attempt_id: int, question_id: int) -> ResponseReturnValue:
    """Keep one answer while the learner works: {"values": {control name: [values]}}."""
    attempt = queries.get_attempt(attempt_id)
    require("assessments.take", attempt.enrolment)
    if question_id not in attempt.question_ids:
        raise NotFound
    question = queries.get_question(question_id)
    values = _json_values()
    response = _read(attempt, question, values)
    if response is None and any(text.strip() for _name, text in values.items(multi=True)):
        raise InvalidInput(_("This answer cannot be read. Please answer the question again."))
    try:
        services.save_responses(attempt, {question.id: response})
    except TimeOver as error:
        services.submit_attempt(attempt)
        return jsonify(error={"status": error.status, "message": str(error.text)}), error.status
    saved = queries.responses_by_question(attempt)
    answered = sum(row.response is not None for row in saved.values())
    return jsonify(
        saved_at=clock.now().isoformat(timespec="seconds"),
        answered=answered,
        text=progress_text(answered, len(attempt.question_ids)),
    )


def _json_values() -> MultiDict[str, str]:
    body = request.get_json(silent=True)
    values = body.get("values") if isinstance(body, dict) else None
    if not isinstance(values, dict):
        raise InvalidInput
    read: MultiDict[str, str] = MultiDict()
    for name, texts in values.items():
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise InvalidInput
        read.setlist(name, texts)
    return read


@bp.app_template_global("quiz_progress_text")
def progress_text(answered: int, total: int) -> str:
    """How many questions have an answer."""
    return str(_("%(answered)s of %(total)s answered", answered=answered, total=total))


@bp.get("/assessments/attempts/<int:attempt_id>/hand-in")
def confirm_hand_in(attempt_id: int) -> ResponseReturnValue:
    """Ask before handing in with questions that have no answer."""
    attempt = queries.get_attempt(attempt_id)
    require("assessments.take", attempt.enrolment)
    if not attempt.is_open:
        return redirect(url_for(".show_result", attempt_id=attempt.id), 303)
    questions = queries.questions_by_id(attempt.question_ids)
    saved = queries.responses_by_question(attempt)
    asked = [questions[id_] for id_ in attempt.question_ids if id_ in questions]
    missing = [
        (number, control_name(question))
        for number, question in enumerate(asked, start=1)
        if question.id not in saved or saved[question.id].response is None
    ]
    return render_template(
        "assessments/hand_in.html",
        attempt=attempt,
        activity=attempt.activity,
        missing=missing,
        total=len(asked),
        at=clock.now(),
    )


@bp.get("/assessments/attempts/<int:attempt_id>/result")
def show_result(attempt_id: int) -> ResponseReturnValue:
    """Score, whether it was passed, and feedback as the quiz's rule allows."""
    attempt = queries.get_attempt(attempt_id)
    require("assessments.see_attempt", attempt)
    is_own = attempt.enrolment.user_id == signed_in().id
    if attempt.is_open:
        if is_own:
            return redirect(url_for(".show_attempt", attempt_id=attempt.id), 303)
        raise NotFound
    activity, run = attempt.activity, attempt.enrolment.run
    rules = QuizRules.of(activity.settings)
    attempts = queries.list_attempts(attempt.enrolment, activity)
    due_at = run.due_at(activity) or run.ends_at
    is_staff = not is_own and can("assessments.see_results", run)
    with_key = is_staff or queries.shows_feedback(rules, attempts, due_at, clock.now())
    language = reading_language(activity.course)
    with reading(language):
        items = items_of(
            attempt,
            queries.questions_by_id(attempt.question_ids),
            queries.responses_by_question(attempt),
            is_result=True,
            with_key=with_key,
        )
    return render_template(
        "assessments/result.html",
        attempt=attempt,
        activity=activity,
        run=run,
        rules=rules,
        attempts=attempts,
        graded=queries.graded_attempt(attempts, rules),
        left=rules.attempts_left(len(attempts)),
        open_attempt=next((a for a in attempts if a.is_open), None),
        due_at=due_at,
        items=items,
        with_key=with_key,
        is_own=is_own,
        language=language,
        back_url=study_url(run, activity),
    )
