"""Reductions as forms offer them: how much, and for everything, a course or one of its runs."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from wtforms.validators import ValidationError

from lms.core.amounts import read_amount
from lms.core.db import db
from lms.core.text import in_language
from lms.courses.models import Course, CourseRun
from lms.pricing.queries import runs_with_price


def scope_choices() -> list[tuple[str, str]]:
    """Courses and runs with a price, as choices: course:<id> and run:<id>."""
    found: dict[str, str] = {}
    for run in runs_with_price():
        title = in_language(run.course.title)
        found.setdefault(f"course:{run.course_id}", title)
        found[f"run:{run.id}"] = _("%(course)s, only %(run)s", course=title, run=run.slug)
    return list(found.items())


def chosen_scope(choice: str | None) -> dict[str, Course | CourseRun | None]:
    """The course or the run of a choice, by its word; nothing for everything."""
    kind, _sign, number = (choice or "").partition(":")
    if kind == "course":
        return {"course": db.session.get_one(Course, int(number))}
    if kind == "run":
        return {"run": db.session.get_one(CourseRun, int(number))}
    return {}


def says_reduction(form: Any) -> bool:
    """Whether a form says what is taken off; ties what is missing to its field.

    form: with the fields kind, percent, amount and currency.
    """
    if form.kind.data == "percent" and form.percent.data is None and not form.percent.errors:
        form.percent.errors = [_("Write a percentage from 1 to 100.")]
        return False
    if form.kind.data == "amount":
        try:
            read_amount(form.amount.data or "", str(form.currency.data))
        except ValidationError as refusal:
            form.amount.errors = [str(refusal)]
            return False
    return True
