"""What scholarships show on other rooms' pages."""

from __future__ import annotations

from typing import Any

from flask import render_template
from markupsafe import Markup

from lms.courses.models import Course, CourseRun
from lms.scholarships import queries
from lms.scholarships.criteria import Criteria


def on_course_page(course: Course, **values: Any) -> Markup | None:
    """The way from a course to applying, when a fund is open that its runs could have."""
    today = queries.today()
    funds = [fund.criteria for fund in queries.open_funds(today)]
    runs = [
        run
        for run in (queries.runs_to_apply_for(course, today) if funds else ())
        if any(_is_for(criteria, run) for criteria in funds)
    ]
    if not runs:
        return None
    page = render_template("scholarships/_course.html", runs=runs)
    return Markup(page)  # noqa: S704 - a template's


def _is_for(criteria: Criteria, run: CourseRun) -> bool:
    is_any = not criteria.courses and not criteria.runs
    return is_any or run.course_id in criteria.courses or run.id in criteria.runs
