"""From attempts to the grade that the course knows."""

from __future__ import annotations

from lms.assessments import queries
from lms.assessments.events import AttemptSubmitted
from lms.assessments.models import QuizRules
from lms.courses.models import Activity, Enrolment
from lms.courses.services.progress import (
    complete_activity,
    complete_course_when_done,
    record_score,
    start_activity,
)


def grade_activity(event: AttemptSubmitted) -> None:
    """A closed attempt may change the grade."""
    update_grade(event.attempt.enrolment, event.attempt.activity)


def update_grade(enrolment: Enrolment, activity: Activity) -> None:
    """Let the best, last or first attempt, by the quiz's rule, be the grade of the activity.

    Completes the activity when its rule is met: an attempt was handed in, or the grade passes.
    """
    rules = QuizRules.of(activity.settings)
    graded = queries.graded_attempt(queries.list_attempts(enrolment, activity), rules)
    if graded is None or graded.score is None:
        return
    is_passed = rules.is_pass(graded.score)
    if activity.completion != "passed" or is_passed:
        complete_activity(enrolment, activity, score=graded.score, is_passed=is_passed)
        return
    record_score(start_activity(enrolment, activity), graded.score, is_passed)
    complete_course_when_done(enrolment)
