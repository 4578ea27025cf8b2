"""What several pages of the room show in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import session, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from lms.assessments.forms import FEEDBACK_LABELS, GRADING_LABELS
from lms.assessments.models import FeedbackPolicy, Grading, Question, QuestionResponse, QuizAttempt
from lms.assessments.question_types.base import (
    Response,
    Shown,
    question_types,
    render_fragment,
)
from lms.assessments.views import bp
from lms.config import LANGUAGES
from lms.core.language import speaking
from lms.core.text import current_language
from lms.courses.media import media_links
from lms.courses.models import Activity, Course, CourseRun


@bp.app_template_filter("duration_text")
def duration_text(seconds: float | None) -> str:
    """A time span as people say it: "12 min", "1 h 5 min", "45 s"."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return str(_("%(seconds)s s", seconds=whole))
    hours, minutes = divmod(round(whole / 60), 60)
    if not hours:
        return str(_("%(minutes)s min", minutes=minutes))
    return str(_("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes))


@bp.app_template_filter("grading_text")
def grading_text(grading: str) -> str:
    """Which attempt counts."""
    return str(GRADING_LABELS[Grading(grading)])


@bp.app_template_filter("feedback_text")
def feedback_text(policy: str) -> str:
    """When feedback is shown."""
    return str(FEEDBACK_LABELS[FeedbackPolicy(policy)])


@bp.app_template_filter("kind_text")
def kind_text(question: Question) -> str:
    """What kind of question it is."""
    return str(question_types[question.kind].label)


def study_url(run: CourseRun, activity: Activity) -> str:
    """The study page of a quiz."""
    return url_for("courses.study", run_id=run.id, slug=activity.slug)


def control_name(question: Question) -> str:
    """The name of a question's form controls, also its place on the page."""
    return f"q{question.id}"


def reading_language(course: Course) -> str:
    """The language in which the learner reads this course: as chosen there, else the page's."""
    chosen: dict[str, str] = session.get("reading", {})
    code = chosen.get(course.slug)
    return code if code in LANGUAGES and code in course.languages else current_language()


@contextmanager
def reading(language: str) -> Iterator[None]:
    """What is rendered inside speaks the language of the course."""
    if language == current_language():
        yield
        return
    with speaking(language):
        yield


@dataclass(frozen=True)
class Item:
    """One question on a page: what the template needs to draw it."""

    number: int
    question: Question
    name: str
    html: Markup
    is_answered: bool


def items_of(
    attempt: QuizAttempt,
    questions: dict[int, Question],
    responses: dict[int, QuestionResponse],
    *,
    is_result: bool = False,
    with_key: bool = False,
) -> list[Item]:
    """The questions of an attempt in its order, drawn as form or as result."""
    course = attempt.activity.course
    items: list[Item] = []
    for entry in attempt.question_order:
        question = questions.get(entry["id"])
        if question is None:
            continue
        row = responses.get(question.id)
        shown = Shown(
            name=control_name(question),
            order=entry.get("choices") or (),
            is_result=is_result,
            with_key=with_key,
            score=row.score if row else None,
        )
        response = row.response if row else None
        html = draw(question, response, shown, len(items) + 1, course)
        items.append(Item(len(items) + 1, question, shown.name, html, response is not None))
    return items


def draw(
    question: Question, response: Response, shown: Shown, number: int, course: Course
) -> Markup:
    """One question as HTML: prompt, controls or answers, and what the result says of it."""
    kind = question_types[question.kind]
    return render_fragment(
        "assessments/_question.html",
        question=question,
        number=number,
        shown=shown,
        controls=kind.render(question.settings, response, shown),
        is_answered=response is not None,
        links=media_links(course),
    )
