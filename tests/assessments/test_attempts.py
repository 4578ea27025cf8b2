from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from lms.assessments import queries
from lms.assessments.errors import AttemptClosed, NoAttemptsLeft, QuizNotReady, TimeOver
from lms.assessments.models import Closing, QuizAttempt
from lms.assessments.services import attempts as services
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.errors import NotReleased
from lms.courses.models import Progress
from tests.factories.assessments import (
    RIGHT,
    answers,
    make_attempt,
    make_learner,
    make_question,
    make_quiz,
)
from tests.factories.courses import make_enrolment, make_module, make_run

ALL_KINDS = ("multiple_choice", "true_false", "numerical", "short_text")


def progress_of(enrolment, quiz) -> Progress:
    db.session.expire_all()
    [progress] = enrolment.progress
    assert progress.activity_id == quiz.id
    return progress


def test_a_quiz_answered_right_scores_all_and_completes_its_activity(app):
    quiz = make_quiz(kinds=ALL_KINDS, completion="passed", pass_score=0.7)
    enrolment = make_learner(quiz)
    attempt = services.start_attempt(enrolment, quiz)

    services.submit_attempt(attempt, answers(attempt))

    assert (attempt.score, attempt.is_passed, attempt.closing) == (1.0, True, Closing.HANDED_IN)
    progress = progress_of(enrolment, quiz)
    assert (progress.score, progress.is_passed) == (1.0, True)
    assert progress.completed_at is not None


def test_points_weigh_the_questions(app):
    quiz = make_quiz(kinds=())
    heavy, light = make_question(quiz, "true_false", points=3), make_question(quiz, "short_text")

    attempt = make_attempt(make_learner(quiz), quiz, {heavy.id: False, light.id: "nonsense"})

    assert (attempt.points, attempt.max_points, attempt.score) == (3.0, 4.0, 0.75)


def test_a_score_exactly_on_the_pass_mark_passes(app):
    quiz = make_quiz(kinds=("true_false",) * 10, pass_score=0.7)
    enrolment = make_learner(quiz)
    attempt = services.start_attempt(enrolment, quiz)
    right = dict(list(answers(attempt).items())[:7])

    services.submit_attempt(attempt, right)

    assert attempt.is_passed


def test_a_failed_quiz_that_must_be_passed_is_graded_but_not_complete(app):
    quiz = make_quiz(completion="passed")
    enrolment = make_learner(quiz)
    attempt = services.start_attempt(enrolment, quiz)

    services.submit_attempt(attempt, answers(attempt, right=False))

    progress = progress_of(enrolment, quiz)
    assert (progress.score, progress.is_passed, progress.completed_at) == (0.0, False, None)


@pytest.mark.parametrize(("grading", "grade"), [("best", 1.0), ("last", 0.5), ("first", 0.0)])
def test_the_grade_follows_the_rule_of_the_quiz(app, grading, grade):
    quiz = make_quiz(kinds=("true_false", "true_false"), grading=grading)
    enrolment = make_learner(quiz)
    first, second = (q.id for q in queries.list_questions(quiz))

    make_attempt(enrolment, quiz, {first: True, second: True})
    make_attempt(enrolment, quiz, {first: False, second: False})
    make_attempt(enrolment, quiz, {first: False, second: True})

    assert progress_of(enrolment, quiz).score == grade


def test_starting_twice_gives_the_same_attempt(app):
    quiz = make_quiz()
    enrolment = make_learner(quiz)

    assert services.start_attempt(enrolment, quiz) is services.start_attempt(enrolment, quiz)


def test_no_more_attempts_than_allowed(app):
    quiz = make_quiz(attempts=2)
    enrolment = make_learner(quiz)
    make_attempt(enrolment, quiz, {})
    make_attempt(enrolment, quiz, {})

    with pytest.raises(NoAttemptsLeft):
        services.start_attempt(enrolment, quiz)


def test_a_quiz_without_questions_cannot_be_started(app):
    quiz = make_quiz(kinds=())

    with pytest.raises(QuizNotReady):
        services.start_attempt(make_learner(quiz), quiz)


def test_a_quiz_of_a_week_that_is_not_open_cannot_be_started(app):
    run = make_run(release="by_week")
    make_module(run.course)
    quiz = make_quiz(make_module(run.course))

    with pytest.raises(NotReleased):
        services.start_attempt(make_enrolment(run), quiz)


def test_an_attempt_draws_questions_and_shuffles_choices(app):
    quiz = make_quiz(kinds=("multiple_choice",) * 8, draw=5, shuffle=True)
    enrolment = make_learner(quiz)
    seen = set()
    for _number in range(12):
        attempt = make_attempt(enrolment, quiz, {})
        assert len(set(attempt.question_ids)) == 5
        assert all(sorted(entry["choices"]) == ["a", "b", "c"] for entry in attempt.question_order)
        seen |= set(attempt.question_ids)

    assert seen == {question.id for question in queries.list_questions(quiz)}


def test_without_shuffling_the_authors_order_is_kept(app):
    quiz = make_quiz(kinds=("true_false",) * 6, draw=4)
    attempt = make_attempt(make_learner(quiz), quiz)

    order = [question.id for question in queries.list_questions(quiz)]
    assert attempt.question_ids == [id_ for id_ in order if id_ in attempt.question_ids]


def test_saved_answers_can_be_changed_and_taken_back_until_handed_in(app):
    quiz = make_quiz()
    [question] = queries.list_questions(quiz)
    attempt = make_attempt(make_learner(quiz), quiz)

    services.save_responses(attempt, {question.id: ["b"]})
    services.save_responses(attempt, {question.id: ["a"]})
    services.submit_attempt(attempt)

    assert attempt.score == 1.0
    with pytest.raises(AttemptClosed):
        services.save_responses(attempt, {question.id: ["b"]})


def test_handing_in_twice_changes_nothing(app):
    quiz = make_quiz()
    attempt = make_attempt(make_learner(quiz), quiz)
    services.submit_attempt(attempt, answers(attempt))

    with pytest.raises(AttemptClosed):
        services.submit_attempt(attempt, answers(attempt, right=False))
    assert attempt.score == 1.0


def test_a_question_of_another_quiz_is_refused(app):
    quiz = make_quiz()
    stranger = make_question(make_quiz())
    attempt = make_attempt(make_learner(quiz), quiz)

    with pytest.raises(NotFound):
        services.save_responses(attempt, {stranger.id: RIGHT["multiple_choice"]})


def test_answers_count_within_the_grace_but_not_after(app):
    quiz = make_quiz(time_limit=10)
    [question] = queries.list_questions(quiz)
    attempt = make_attempt(make_learner(quiz), quiz)
    assert attempt.deadline_at - attempt.started_at == timedelta(minutes=10)

    with time_machine.travel(attempt.deadline_at + timedelta(seconds=29), tick=False):
        services.save_responses(attempt, {question.id: ["a"]})
    with time_machine.travel(attempt.deadline_at + timedelta(seconds=31), tick=False):
        with pytest.raises(TimeOver):
            services.save_responses(attempt, {question.id: ["b"]})
        services.submit_attempt(attempt, {question.id: ["b"]})

    assert (attempt.score, attempt.closing) == (1.0, Closing.TIME_OVER)
    assert attempt.submitted_at == attempt.deadline_at


def test_the_clock_closes_what_people_left_open(app, run_jobs):
    quiz = make_quiz(time_limit=10)
    [question] = queries.list_questions(quiz)
    gone = make_attempt(make_learner(quiz), quiz)
    services.save_responses(gone, {question.id: ["a"]})
    db.session.commit()
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        here = make_attempt(make_learner(quiz), quiz)

    with time_machine.travel(gone.deadline_at + timedelta(seconds=31), tick=False):
        assert services.close_overdue_attempts() == 1
        assert services.close_overdue_attempts() == 0

    assert (gone.closing, gone.score) == (Closing.TIME_OVER, 1.0)
    assert here.is_open
    assert progress_of(gone.enrolment, quiz).completed_at is not None


def test_one_attempt_that_cannot_be_closed_does_not_hold_up_the_others(app):
    run = make_run(release="by_week")
    stuck = make_attempt(make_enrolment(run), make_quiz(make_module(run.course), time_limit=1))
    other = make_quiz(time_limit=1)
    fine = make_attempt(make_learner(other), other)
    run.starts_on += timedelta(days=30)
    run.ends_on += timedelta(days=30)
    db.session.commit()

    with time_machine.travel(clock.now() + timedelta(minutes=3), tick=False):
        assert services.close_overdue_attempts() == 1

    db.session.expire_all()
    assert (stuck.is_open, fine.is_open) == (True, False)


def test_starting_again_after_time_closes_the_old_attempt(app):
    quiz = make_quiz(time_limit=1, attempts=1)
    enrolment = make_learner(quiz)
    attempt = make_attempt(enrolment, quiz)

    with time_machine.travel(attempt.deadline_at + timedelta(minutes=1), tick=False):
        again = services.start_attempt(enrolment, quiz)

    assert again is attempt
    assert attempt.closing == Closing.TIME_OVER


def test_the_database_refuses_a_second_open_attempt(app):
    from sqlalchemy.exc import IntegrityError

    quiz = make_quiz()
    attempt = make_attempt(make_learner(quiz), quiz)
    db.session.add(
        QuizAttempt(
            enrolment_id=attempt.enrolment_id,
            activity_id=attempt.activity_id,
            number=2,
            question_order=[],
        )
    )
    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()
