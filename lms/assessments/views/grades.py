"""Grades of a learner, gradebook and results of a run for its instructors."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from flask import Response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from lms.accounts.permissions import can, require, signed_in
from lms.assessments import queries
from lms.assessments.models import QuizRules
from lms.assessments.question_types.base import question_types
from lms.assessments.views import bp
from lms.core import clock
from lms.core.db import db
from lms.core.pagination import paginate
from lms.core.text import harmless, in_language
from lms.core.web import page_number
from lms.courses.activity_types.base import StudyContext
from lms.courses.models import CourseRun

PAGE_SIZE = 25


@bp.get("/study/<int:run_id>/grades")
def show_grades(run_id: int) -> ResponseReturnValue:
    """The learner's own grades in a run."""
    enrolment = queries.get_own_enrolment(run_id, signed_in())
    require("assessments.see_grades", enrolment)
    activities = queries.list_graded(enrolment.run)
    grades = {
        activity_id: progress
        for (_id, activity_id), progress in queries.grades_of([enrolment], activities).items()
    }
    return render_template(
        "assessments/grades.html",
        enrolment=enrolment,
        run=enrolment.run,
        course=enrolment.run.course,
        activities=activities,
        grades=grades,
        attempts=queries.count_attempts(enrolment),
        course_grade=queries.course_grade(activities, grades),
        rules={a.id: QuizRules.of(a.settings) for a in activities if a.kind == queries.QUIZ},
        at=clock.now(),
    )


@bp.get("/assessments/runs/<int:run_id>/gradebook")
def show_gradebook(run_id: int) -> ResponseReturnValue:
    """All learners of a run with their grades."""
    run = queries.get_run(run_id)
    require("assessments.see_results", run)
    activities = queries.list_graded(run)
    page = paginate(queries.list_learners(run), page_number(), PAGE_SIZE)
    grades = queries.grades_of(page.items, activities)
    return render_template(
        "assessments/gradebook.html",
        run=run,
        course=run.course,
        activities=activities,
        page=page,
        grades=grades,
        course_grades={
            enrolment.id: queries.course_grade(
                activities,
                {
                    a.id: grades[enrolment.id, a.id]
                    for a in activities
                    if (enrolment.id, a.id) in grades
                },
            )
            for enrolment in page.items
        },
        quiz=queries.QUIZ,
    )


@bp.get("/assessments/runs/<int:run_id>/gradebook.csv")
def download_gradebook(run_id: int) -> ResponseReturnValue:
    """The gradebook as CSV (UTF-8 with its mark, so that spreadsheets read accents)."""
    run = queries.get_run(run_id)
    require("assessments.see_results", run)
    activities = queries.list_graded(run)
    enrolments = db.session.scalars(queries.list_learners(run)).all()
    grades = queries.grades_of(enrolments, activities)
    rows: list[list[object]] = [
        [
            _("Name"),
            _("E-mail"),
            *(in_language(activity.title) for activity in activities),
            _("Grade in per cent"),
            _("Completed on"),
        ]
    ]
    for enrolment in enrolments:
        own = {
            a.id: grades[enrolment.id, a.id] for a in activities if (enrolment.id, a.id) in grades
        }
        scores = [own[a.id].score if a.id in own else None for a in activities]
        done = enrolment.completed_at
        rows.append(
            [
                enrolment.user.name,
                enrolment.user.email,
                *(_per_cent(score) for score in scores),
                _per_cent(queries.course_grade(activities, own)),
                clock.local_date(done, run.time_zone).isoformat() if done else "",
            ]
        )
    name = f"{run.course.slug}-{run.slug}-grades.csv"
    return Response(
        "\ufeff" + _csv(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _per_cent(score: float | None) -> float | str:
    return "" if score is None else round(score * 100, 2)


def _csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue()


@bp.get("/assessments/runs/<int:run_id>/quizzes/<int:activity_id>")
def show_results(run_id: int, activity_id: int) -> ResponseReturnValue:
    """How a quiz went in a run: learners, questions."""
    run, activity = queries.get_quiz_of_run(run_id, activity_id)
    require("assessments.see_results", run)
    rules = QuizRules.of(activity.settings)
    page = paginate(queries.list_learners(run), page_number(), PAGE_SIZE)
    results = queries.results_of(page.items, activity)
    return render_template(
        "assessments/results.html",
        run=run,
        course=run.course,
        activity=activity,
        rules=rules,
        page=page,
        results=[(result, queries.graded_attempt(result.attempts, rules)) for result in results],
        figures=queries.figures_of(run, activity),
        questions=[
            (figures, _in_words(figures)) for figures in queries.question_figures(run, activity)
        ],
    )


def _in_words(figures: queries.QuestionFigures) -> str:
    if figures.wrong_response is None:
        return ""
    question = figures.question
    kind = question_types[question.kind]
    return kind.describe_response(question.settings, figures.wrong_response)


def gradebook_link(run: CourseRun) -> Markup | None:
    """The link to the gradebook, among an instructor's links of a run."""
    if not can("assessments.see_results", run):
        return None
    html = render_template("assessments/_gradebook_link.html", run=run)
    return Markup(html)  # noqa: S704


def grades_link(context: StudyContext) -> Markup | None:
    """The link to one's own grades (an instructor's: to the gradebook) beside the study page."""
    if context.run is None:
        return None
    if context.enrolment is None:
        return gradebook_link(context.run)
    html = render_template("assessments/_grades_link.html", run=context.run)
    return Markup(html)  # noqa: S704
