"""An attempt from start to end: questions drawn, answers kept, graded, closed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from random import SystemRandom
from typing import Any

from sqlalchemy import func, insert, select

from lms.assessments import queries
from lms.assessments.errors import AttemptClosed, NoAttemptsLeft, QuizNotReady, TimeOver
from lms.assessments.events import AttemptStarted, AttemptSubmitted
from lms.assessments.models import (
    GRACE,
    Closing,
    Question,
    QuestionResponse,
    QuizAttempt,
    QuizRules,
)
from lms.assessments.question_types.base import Response, question_types
from lms.core import clock
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.events import emit
from lms.courses.models import Activity, Enrolment
from lms.courses.services.progress import start_activity

log = logging.getLogger("lms.assessments")
_random = SystemRandom()


def start_attempt(enrolment: Enrolment, activity: Activity) -> QuizAttempt:
    """Begin an attempt, or give the open one: two clicks make one attempt.

    An open attempt whose time is over is closed and given back closed. Raises NotReleased,
    QuizNotReady or NoAttemptsLeft.
    """
    _lock_enrolment(enrolment)
    open_attempt = db.session.scalar(
        select(QuizAttempt).where(
            QuizAttempt.enrolment_id == enrolment.id,
            QuizAttempt.activity_id == activity.id,
            QuizAttempt.submitted_at.is_(None),
        )
    )
    now = clock.now()
    if open_attempt is not None:
        if open_attempt.is_overdue(now):
            close_by_clock(open_attempt)
        return open_attempt
    used = _last_number(enrolment, activity)
    rules = QuizRules.of(activity.settings)
    questions = queries.list_questions(activity)
    if not questions or not activity.is_published:
        raise QuizNotReady
    if rules.attempts_left(used) == 0:
        raise NoAttemptsLeft
    start_activity(enrolment, activity)
    limit = timedelta(minutes=rules.time_limit) if rules.time_limit else None
    attempt = QuizAttempt(
        enrolment=enrolment,
        activity=activity,
        number=used + 1,
        started_at=now,
        deadline_at=now + limit if limit else None,
        question_order=_draw(questions, rules),
    )
    db.session.add(attempt)
    db.session.flush()
    emit(AttemptStarted(attempt))
    return attempt


def _lock_enrolment(enrolment: Enrolment) -> None:
    """Let only one transaction at a time start attempts of a learner."""
    db.session.execute(select(Enrolment.id).where(Enrolment.id == enrolment.id).with_for_update())


def _last_number(enrolment: Enrolment, activity: Activity) -> int:
    return (
        db.session.scalar(
            select(func.max(QuizAttempt.number)).where(
                QuizAttempt.enrolment_id == enrolment.id, QuizAttempt.activity_id == activity.id
            )
        )
        or 0
    )


def _draw(questions: list[Question], rules: QuizRules) -> list[dict[str, Any]]:
    """The questions of one attempt, and the order of their choices."""
    chosen = list(questions)
    if rules.draw is not None and rules.draw < len(chosen):
        kept = {question.id for question in _random.sample(chosen, rules.draw)}
        chosen = [question for question in chosen if question.id in kept]
    if rules.shuffle:
        _random.shuffle(chosen)
    order: list[dict[str, Any]] = []
    for question in chosen:
        kind = question_types[question.kind]
        choices = kind.order(question.settings, _random) if rules.shuffle else []
        order.append({"id": question.id, "choices": choices})
    return order


def save_responses(attempt: QuizAttempt, responses: Mapping[int, Response]) -> None:
    """Keep answers of an open attempt.

    responses: question id -> response, in the shape its question type defines; None: no answer.
    Raises NotFound for a question that the attempt does not ask, AttemptClosed, or TimeOver after
    the deadline and its grace.
    """
    _lock(attempt)
    if not attempt.is_open:
        raise AttemptClosed
    if attempt.is_overdue(clock.now()):
        raise TimeOver
    _keep(attempt, responses)


def submit_attempt(attempt: QuizAttempt, responses: Mapping[int, Response] | None = None) -> None:
    """Grade an open attempt and close it.

    responses: answers sent with it, as in `save_responses`. After the deadline and its grace they
    are not taken, and the attempt is closed with what was saved (`closing` says so). Raises
    NotFound as above, and AttemptClosed if it was handed in before.
    """
    _lock(attempt)
    if not attempt.is_open:
        raise AttemptClosed
    if attempt.is_overdue(clock.now()):
        _close(attempt, Closing.TIME_OVER)
        return
    _keep(attempt, responses or {})
    _close(attempt, Closing.HANDED_IN)


def close_by_clock(attempt: QuizAttempt) -> None:
    """Close an attempt whose time is over, with what was saved. Safe to repeat."""
    _lock(attempt)
    if attempt.is_open and attempt.is_overdue(clock.now()):
        _close(attempt, Closing.TIME_OVER)


def close_overdue_attempts(limit: int = 500) -> int:
    """Close the attempts of people who did not come back in time; returns how many."""
    closed = 0
    for attempt in queries.list_overdue(clock.now() - GRACE, limit):
        try:
            with db.session.begin_nested():
                close_by_clock(attempt)
        except DomainError as error:  # one that cannot be closed must not hold up the others
            log.warning("attempt %s stays open: %s", attempt.id, type(error).__name__)
        else:
            closed += 1
    return closed


def _lock(attempt: QuizAttempt) -> None:
    """Read the attempt anew and keep others from changing it until the transaction ends."""
    columns = QuizAttempt.__mapper__.column_attrs.keys()
    db.session.refresh(attempt, attribute_names=columns, with_for_update=True)


def _keep(attempt: QuizAttempt, responses: Mapping[int, Response]) -> None:
    if not set(responses) <= set(attempt.question_ids):
        raise NotFound
    saved = queries.responses_by_question(attempt)
    now = clock.now()
    for question_id, response in responses.items():
        row = saved.get(question_id)
        if row is None and response is None:
            continue
        if row is None:
            row = QuestionResponse(attempt_id=attempt.id, question_id=question_id)
            db.session.add(row)
        if row.response != response or row.saved_at is None:
            row.response, row.saved_at = response, now
    db.session.flush()


def _close(attempt: QuizAttempt, closing: Closing) -> None:
    rules = QuizRules.of(attempt.activity.settings)
    questions = queries.questions_by_id(attempt.question_ids)
    saved = queries.responses_by_question(attempt)
    now = clock.now()
    points = max_points = 0.0
    unanswered: list[dict[str, Any]] = []
    for question_id in attempt.question_ids:
        question = questions.get(question_id)
        if question is None:  # its kind of question was switched off: it counts for nobody
            continue
        row = saved.get(question_id)
        score = 0.0 if row is None else _grade(question, row.response)
        if row is not None:
            row.score = score
        else:
            unanswered.append({"attempt_id": attempt.id, "question_id": question_id, "score": 0.0})
        points += question.points * score
        max_points += question.points
    if unanswered:
        db.session.execute(insert(QuestionResponse), unanswered)
    ended_at = now
    if closing == Closing.TIME_OVER and attempt.deadline_at is not None:
        ended_at = attempt.deadline_at
    attempt.close(points, max_points, rules, closing, ended_at)
    db.session.flush()
    emit(AttemptSubmitted(attempt))


def _grade(question: Question, response: Response) -> float:
    if response is None:
        return 0.0
    share = question_types[question.kind].grade(question.settings, response)
    return min(1.0, max(0.0, share))
