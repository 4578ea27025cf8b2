"""What the room assessments adds to the house."""

from __future__ import annotations

from flask import Blueprint

from lms.accounts.permissions import Permission
from lms.assessments import jobs as room_jobs
from lms.assessments import permissions as rules
from lms.assessments import personal_data as data
from lms.assessments import statements
from lms.assessments.events import AttemptSubmitted
from lms.assessments.question_types.base import QuestionType
from lms.assessments.question_types.multiple_choice import MultipleChoice
from lms.assessments.question_types.numerical import Numerical
from lms.assessments.question_types.short_text import ShortText
from lms.assessments.question_types.true_false import TrueFalse
from lms.assessments.quiz import Quiz
from lms.assessments.services.grades import grade_activity
from lms.assessments.views import attempts, bp, grades, questions
from lms.core.events import Subscription
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import Panel
from lms.courses.activity_types.base import ActivityType
from lms.hookspecs import hookimpl
from lms.xapi.mapping import StatementMapping

__all__ = ["attempts", "questions"]  # their routes are on bp


@hookimpl
def blueprints() -> list[Blueprint]:
    """The pages of the room."""
    return [bp]


@hookimpl
def activity_types() -> list[ActivityType]:
    """The quiz."""
    return [Quiz()]


@hookimpl
def question_types() -> list[QuestionType]:
    """What a quiz can ask."""
    return [MultipleChoice(), TrueFalse(), Numerical(), ShortText()]


@hookimpl
def permissions() -> list[Permission]:
    """Who may take quizzes, see results and grades."""
    return rules.all_permissions()


@hookimpl
def panels() -> list[Panel]:
    """Grades beside the study page, the gradebook among an instructor's links of a run."""
    return [
        Panel("assessments.gradebook", "courses.run_links", grades.gradebook_link),
        Panel("assessments.grades", "study.aside", grades.grades_link),
    ]


@hookimpl
def subscriptions() -> list[Subscription]:
    """A closed attempt gives a grade, and may complete its activity."""
    return [Subscription(AttemptSubmitted, grade_activity)]


@hookimpl
def jobs() -> list[Job]:
    """Closing attempts whose time is over."""
    return [room_jobs.close_overdue]


@hookimpl
def personal_data() -> list[PersonalData]:
    """Attempts and responses."""
    return [data.quiz_attempts]


@hookimpl
def xapi_statements() -> list[StatementMapping]:
    """Answered, passed, failed, scored."""
    return statements.mappings
