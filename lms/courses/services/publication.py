"""Publishing a course; what is still missing before."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from lms.core import audit
from lms.core.db import db
from lms.core.events import emit
from lms.core.text import in_language
from lms.courses.activity_types.base import activity_types
from lms.courses.errors import NotReady
from lms.courses.events import CoursePublished
from lms.courses.models import Activity, Course, PublicationState
from lms.courses.services.authoring import is_missing, missing_texts


@dataclass(frozen=True)
class Problem:
    """Something the author should look at.

    is_blocking: the course cannot be published before. page: where it is mended: "description",
    "contents", "runs", "people" or "activity". language: on which language's page.
    """

    text: str
    page: str
    is_blocking: bool = False
    language: str | None = None
    activity: Activity | None = None


def list_problems(course: Course) -> list[Problem]:
    """What is still missing, blocking things first."""
    problems = _description_problems(course) + _contents_problems(course)
    problems += _translation_problems(course)
    if not any(run.state == PublicationState.PUBLISHED for run in course.runs):
        problems.append(Problem(_("No run has been published, so nobody can enrol yet."), "runs"))
    if not course.staff:
        problems.append(Problem(_("Nobody is named as instructor."), "people", True))
    return sorted(problems, key=lambda problem: not problem.is_blocking)


def _description_problems(course: Course) -> list[Problem]:
    first = course.languages[0]
    problems = []
    for texts, sentence in (
        (course.title, _("The title is missing.")),
        (course.summary, _("The summary is missing.")),
        (course.description, _("The long description is missing.")),
    ):
        if not any(texts.values()):
            problems.append(Problem(sentence, "description", True, first))
    if not course.outcomes:
        problems.append(Problem(_("No learning outcome is named."), "description", True, first))
    return problems


def _contents_problems(course: Course) -> list[Problem]:
    shown = [a for module in course.modules for a in module.activities if a.is_published]
    if not shown:
        return [Problem(_("The course shows no activity yet."), "contents", True)]
    problems = []
    if not any(activity.is_required for activity in shown):
        problems.append(
            Problem(_("No activity is required, so nobody can complete it."), "contents", True)
        )
    for activity in shown:
        title = in_language(activity.title)
        kind = activity_types.get(activity.kind)
        if kind is None:
            text = _("%(title)s: its kind is not available here.", title=title)
            problems.append(Problem(text, "activity", True, None, activity))
            continue
        for sentence in kind.problems(activity):
            problems.append(
                Problem(f"{title}: {sentence}", "activity", True, course.languages[0], activity)
            )
    return problems


def _translation_problems(course: Course) -> list[Problem]:
    problems = []
    for language in course.languages:
        count = len(missing_texts(course, language))
        if count:
            problems.append(
                Problem(
                    _(
                        "Texts of the description without a translation (%(language)s): %(count)d",
                        language=language,
                        count=count,
                    ),
                    "description",
                    language=language,
                )
            )
        for module in course.modules:
            for activity in module.activities:
                if activity.is_published and (
                    is_missing(activity.title, language) or is_missing(activity.text, language)
                ):
                    problems.append(
                        Problem(
                            _(
                                "%(title)s is not translated (%(language)s).",
                                title=in_language(activity.title),
                                language=language,
                            ),
                            "activity",
                            language=language,
                            activity=activity,
                        )
                    )
    return problems


def publish_course(course: Course, actor_id: int | None) -> None:
    """Show the course to the public. Safe to repeat. Raises NotReady with what is missing."""
    if course.is_published:
        return
    blocking = [problem.text for problem in list_problems(course) if problem.is_blocking]
    if blocking:
        raise NotReady(" ".join(blocking))
    course.state = PublicationState.PUBLISHED
    audit.record("courses.publish", course, actor_id)
    db.session.flush()
    emit(CoursePublished(course))


def unpublish_course(course: Course, actor_id: int | None) -> None:
    """Hide the course from the public; learners of its runs go on. Safe to repeat."""
    if not course.is_published:
        return
    course.state = PublicationState.DRAFT
    audit.record("courses.unpublish", course, actor_id)
    db.session.flush()
