"""What the example adds to the house."""

from __future__ import annotations

from flask import Blueprint

from lms.assessments.question_types.base import QuestionType
from lms.hookspecs import hookimpl
from lms.reports.base import Report
from puente_example.ordering import Ordering
from puente_example.report import AccountsByProfession


@hookimpl
def blueprints() -> list[Blueprint]:
    """No routes of its own: the blueprint brings the templates."""
    return [Blueprint("puente_example", __name__, template_folder="templates")]


@hookimpl
def question_types() -> list[QuestionType]:
    """Put in order."""
    return [Ordering()]


@hookimpl
def reports() -> list[Report]:
    """Accounts by profession."""
    return [AccountsByProfession()]
