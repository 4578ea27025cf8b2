"""What happens in courses as xAPI statements, with cmi5's context where it fits.

Each enrolment is a registration. Statements about an activity have its module as parent, and run
and course as grouping (xAPI 1.0.3, 2.4.6.2). Those verbs that cmi5 defines for a learner's session
(initialized, completed) carry its category; "completed" also that of moveOn (cmi5 Quartz, 9.6.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lms.courses.activity_types.base import activity_types
from lms.courses.events import (
    ActivityCompleted,
    ActivityStarted,
    CourseCompleted,
    CourseLaunched,
    Enrolled,
    EnrolmentEnded,
)
from lms.courses.models import Activity, Course, CourseRun, Enrolment, Module
from lms.xapi.mapping import StatementDraft, StatementMapping
from lms.xapi.vocabulary import CMI5_CATEGORY, MOVE_ON_CATEGORY, activity, activity_iri

XapiActivity = dict[str, Any]


def course_activity(course: Course) -> XapiActivity:
    """A course as the object of a statement."""
    return activity(activity_iri("course", course.uuid), "course", course.title, course.summary)


def run_activity(run: CourseRun) -> XapiActivity:
    """A course run: the course's title with the dates."""
    span = f"{run.starts_on.isoformat()}/{run.ends_on.isoformat()}"
    name = {code: f"{title} ({span})" for code, title in run.course.title.items()}
    return activity(activity_iri("run", run.uuid), "course", name)


def module_activity(module: Module) -> XapiActivity:
    """A module of a course."""
    identifier = f"{module.course.uuid}/{module.slug}"
    return activity(activity_iri("module", identifier), "module", module.title)


def activity_of(item: Activity) -> XapiActivity:
    """An activity of a course, with the type that its kind names."""
    kind = activity_types.get(item.kind)
    type_ = kind.xapi_type if kind else "lesson"
    return activity(activity_iri("activity", item.uuid), type_, item.title)


def context_of(enrolment: Enrolment, item: Activity | None = None) -> dict[str, list[XapiActivity]]:
    """Context activities: grouping run and course; parent module when it is about an activity."""
    run = enrolment.run
    context = {"grouping": [run_activity(run), course_activity(run.course)]}
    if item is not None:
        context["parent"] = [module_activity(item.module)]
    return context


def _about_course(enrolment: Enrolment, verb: str, **more: Any) -> StatementDraft:
    return StatementDraft(
        user=enrolment.user,
        verb=verb,
        object=course_activity(enrolment.run.course),
        registration=enrolment.registration,
        context_activities={"grouping": [run_activity(enrolment.run)], **more.pop("context", {})},
        language=enrolment.user.language,
        **more,
    )


def _about_activity(
    enrolment: Enrolment, item: Activity, verb: str, category: list[XapiActivity], **more: Any
) -> StatementDraft:
    return StatementDraft(
        user=enrolment.user,
        verb=verb,
        object=activity_of(item),
        registration=enrolment.registration,
        context_activities={**context_of(enrolment, item), "category": category},
        language=enrolment.user.language,
        **more,
    )


def _registered(event: Enrolled) -> Iterable[StatementDraft]:
    yield _about_course(event.enrolment, "registered")


def _launched(event: CourseLaunched) -> Iterable[StatementDraft]:
    yield _about_course(event.enrolment, "launched")


def _initialized(event: ActivityStarted) -> Iterable[StatementDraft]:
    yield _about_activity(event.enrolment, event.activity, "initialized", [CMI5_CATEGORY])


def _completed(event: ActivityCompleted) -> Iterable[StatementDraft]:
    result: dict[str, Any] = {"completion": True}
    if event.score is not None:
        result["score"] = {"scaled": event.score}
    yield _about_activity(
        event.enrolment,
        event.activity,
        "completed",
        [CMI5_CATEGORY, MOVE_ON_CATEGORY],
        result=result,
    )


def _course_completed(event: CourseCompleted) -> Iterable[StatementDraft]:
    result: dict[str, Any] = {"completion": True}
    if event.enrolment.grade is not None:
        result["score"] = {"scaled": round(event.enrolment.grade, 6)}
    yield _about_course(event.enrolment, "completed", result=result)


def _unregistered(event: EnrolmentEnded) -> Iterable[StatementDraft]:
    if event.was_active:
        yield _about_course(event.enrolment, "unregistered")


def all_statements() -> list[StatementMapping]:
    """How the room's events become statements."""
    return [
        StatementMapping("courses.registered", Enrolled, _registered),
        StatementMapping("courses.launched", CourseLaunched, _launched),
        StatementMapping("courses.activity_initialized", ActivityStarted, _initialized),
        StatementMapping("courses.activity_completed", ActivityCompleted, _completed),
        StatementMapping("courses.completed", CourseCompleted, _course_completed),
        StatementMapping("courses.unregistered", EnrolmentEnded, _unregistered),
    ]
