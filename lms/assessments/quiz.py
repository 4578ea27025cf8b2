"""The quiz as a kind of activity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, has_request_context, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from wtforms import Form

from lms.assessments import queries
from lms.assessments.forms import QuizSettingsForm
from lms.assessments.models import FeedbackPolicy, Grading, QuizRules
from lms.assessments.question_types.base import check_flag, check_keys, check_number
from lms.assessments.services import questions as question_services
from lms.core import clock
from lms.core.web import SAFE_METHODS
from lms.courses.activity_types.base import ActivityType, StudyContext
from lms.courses.errors import PackageError
from lms.courses.media import media_links
from lms.courses.models import Activity

MAX_ATTEMPTS = 1000
MAX_MINUTES = 7 * 24 * 60
MAX_QUESTIONS = 1000


class Quiz(ActivityType):
    """Questions from a bank, answered in attempts and graded at once."""

    name = queries.QUIZ
    label = lazy_gettext("Quiz")
    icon = "quiz"
    completion_rules = {
        "submitted": lazy_gettext("An attempt is handed in"),
        "passed": lazy_gettext("The quiz is passed"),
    }
    is_graded = True
    xapi_type = "http://adlnet.gov/expapi/activities/assessment"

    def render(self, context: StudyContext) -> Markup:
        """The introduction: rules, attempts so far, what is needed, and the way in."""
        activity, enrolment = context.activity, context.enrolment
        rules = QuizRules.of(activity.settings)
        attempts = queries.list_attempts(enrolment, activity) if enrolment else []
        html = render_template(
            "assessments/_intro.html",
            context=context,
            activity=activity,
            links=media_links(activity.course),
            rules=rules,
            question_count=question_count(activity),
            attempts=attempts,
            open_attempt=next((a for a in attempts if a.is_open), None),
            graded=queries.graded_attempt(attempts, rules),
            left=rules.attempts_left(len(attempts)),
            due_at=context.run.due_at(activity) if context.run else None,
            at=clock.now(),
        )
        return Markup(html)  # noqa: S704

    def settings_form(self, activity: Activity | None) -> type[Form] | None:
        """Attempts, time, pass mark, grade, questions, feedback."""
        return QuizSettingsForm

    def authoring_links(self, activity: Activity) -> list[tuple[str | LazyString, str]]:
        """The question bank."""
        return [
            (
                lazy_gettext("Questions"),
                url_for("assessments.list_questions", activity_id=activity.id),
            )
        ]

    def check_settings(self, settings: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Known keys with sensible values; what is empty is left out."""
        given = {k: v for k, v in settings.items() if v is not None and k != "questions"}
        check_keys(given, QuizRules.__match_args__, where)
        for key, most in (
            ("attempts", MAX_ATTEMPTS),
            ("time_limit", MAX_MINUTES),
            ("draw", MAX_QUESTIONS),
        ):
            if key in given:
                here = f"{where}.{key}"
                least = 0 if key == "attempts" else 1
                number = check_number(given[key], here, least=least, most=most)
                if not isinstance(number, int):
                    raise PackageError(here, _("Expected a whole number here."))
        if "pass_score" in given:
            check_number(given["pass_score"], f"{where}.pass_score", least=0, most=1)
        if "shuffle" in given:
            check_flag(given["shuffle"], f"{where}.shuffle")
        for key, known in (("grading", Grading), ("feedback", FeedbackPolicy)):
            if key in given and given[key] not in list(known):
                raise PackageError(
                    f"{where}.{key}", _("Must be one of: %(choices)s.", choices=", ".join(known))
                )
        return given

    def import_extra(self, activity: Activity, document: Mapping[str, Any], where: str) -> None:
        """Take `questions`, which stand among the settings or beside them."""
        settings = document.get("settings")
        if isinstance(settings, Mapping) and "questions" in settings:
            documents, here = settings["questions"], f"{where}, settings.questions"
        else:
            documents, here = document.get("questions", []), f"{where}, questions"
        question_services.replace_questions(activity, documents, here)

    def export_extra(self, activity: Activity) -> dict[str, Any]:
        """The questions that are asked, as `questions` among the settings."""
        documents = [
            question_services.question_document(question)
            for question in queries.list_questions(activity)
        ]
        return {"settings": {**activity.settings, "questions": documents}}

    def problems(self, activity: Activity) -> list[str]:
        """No questions; more to be drawn than there are; feedback after a date that is missing."""
        rules = QuizRules.of(activity.settings)
        count = _bank(activity)
        found: list[str] = []
        if not count:
            found.append(_("This quiz has no questions yet. Add at least one."))
        elif rules.draw is not None and rules.draw > count:
            found.append(
                ngettext(
                    "The quiz draws %(draw)s questions, but its bank holds only one.",
                    "The quiz draws %(draw)s questions, but its bank holds only %(num)s.",
                    count,
                    draw=rules.draw,
                )
            )
        if rules.feedback == FeedbackPolicy.AFTER_DUE and activity.due_day is None:
            found.append(
                _("Feedback is shown after the due date, but the quiz has none. Set a due day.")
            )
        return found

    def outline_note(self, activity: Activity) -> str | None:
        """How many questions one attempt asks."""
        count = question_count(activity)
        return ngettext("%(num)s question", "%(num)s questions", count) if count else None


def question_count(activity: Activity) -> int:
    """How many questions one attempt asks; the counts of a course are read once a request."""
    count = _bank(activity)
    draw = QuizRules.of(activity.settings).draw
    return min(count, draw) if draw else count


def _bank(activity: Activity) -> int:
    """How many questions the quiz can ask; those of a whole course are counted at once."""
    if not has_request_context() or request.method not in SAFE_METHODS:
        return queries.count_questions(activity.course_id).get(activity.id, 0)
    kept: dict[int, dict[int, int]] = g.setdefault("question_counts", {})
    if activity.course_id not in kept:
        kept[activity.course_id] = queries.counted_questions(activity.course_id)
    return kept[activity.course_id].get(activity.id, 0)
