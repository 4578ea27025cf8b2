"""What happens in courses as xAPI statements, after the rules of cmi5 where they fit.

Each enrolment is a registration. Statements about an activity have its module as parent, and run
and course as grouping (xAPI 1.0.3, 2.4.6.2). "completed" has no score (cmi5 Quartz, 9.5.1); the
forms of all statements are in `lms.xapi.profile`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lms.courses.activity_types.base import activity_types
from lms.courses.events import (
    ActivityCompleted,
    ActivityStarted,
    ActivityWaived,
    CourseCompleted,
    CourseLaunched,
    Enrolled,
    EnrolmentEnded,
    PlaybackNoted,
    PlaybackStep,
)
from lms.courses.models import Activity, Course, CourseRun, Enrolment, Module
from lms.xapi.mapping import StatementDraft, StatementMapping
from lms.xapi.vocabulary import (
    activity,
    activity_iri,
    iso_duration,
    video_category,
    video_extension,
)

XapiActivity = dict[str, Any]


def course_activity(course: Course) -> XapiActivity:
    """A course as the object of a statement."""
    return activity(activity_iri("course", course.uuid), "course", course.title, course.summary)


def run_activity(run: CourseRun) -> XapiActivity:
    """A course run: the course's title with the dates."""
    span = f"{run.starts_on.isoformat()}/{run.ends_on.isoformat()}"
    name = {code: f"{title} ({span})" for code, title in run.course.title.items()}
    return activity(activity_iri("run", run.uuid), "run", name)


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
        context_activities={"grouping": [run_activity(enrolment.run)]},
        language=enrolment.user.language,
        **more,
    )


def _about_activity(enrolment: Enrolment, item: Activity, verb: str, **more: Any) -> StatementDraft:
    return StatementDraft(
        user=enrolment.user,
        verb=verb,
        object=activity_of(item),
        registration=enrolment.registration,
        context_activities=context_of(enrolment, item),
        language=enrolment.user.language,
        **more,
    )


def _registered(event: Enrolled) -> Iterable[StatementDraft]:
    yield _about_course(event.enrolment, "registered")


def _launched(event: CourseLaunched) -> Iterable[StatementDraft]:
    yield _about_course(event.enrolment, "launched")


def _initialized(event: ActivityStarted) -> Iterable[StatementDraft]:
    yield _about_activity(event.enrolment, event.activity, "initialized")


def _completed(event: ActivityCompleted) -> Iterable[StatementDraft]:
    yield _about_activity(event.enrolment, event.activity, "completed", result={"completion": True})


def _waived(event: ActivityWaived) -> Iterable[StatementDraft]:
    """As the verb of cmi5 says it: the requirement was met by other means."""
    yield _about_activity(event.enrolment, event.activity, "waived")


def _course_completed(event: CourseCompleted) -> Iterable[StatementDraft]:
    yield _about_course(event.enrolment, "completed", result={"completion": True})
    if event.enrolment.grade is not None:
        score = {"scaled": round(event.enrolment.grade, 6)}
        yield _about_course(event.enrolment, "scored", result={"score": score})


def _unregistered(event: EnrolmentEnded) -> Iterable[StatementDraft]:
    if event.was_active:
        yield _about_course(event.enrolment, "unregistered")


def _played(event: PlaybackNoted) -> Iterable[StatementDraft]:
    """One statement after the video profile (1.0.3); its table of extensions is 2.7."""
    step = event.step
    context: dict[str, Any] = {"session-id": str(event.session), "length": event.length}
    result: dict[str, Any] = {}
    if step not in (PlaybackStep.PLAYED, PlaybackStep.SEEKED):
        context["completion-threshold"] = event.threshold
    if step == PlaybackStep.SEEKED:
        result = {"time-from": event.time_from, "time-to": event.time}
    elif step != PlaybackStep.INITIALIZED:
        result = {"time": event.time}
    if step in (PlaybackStep.PAUSED, PlaybackStep.COMPLETED, PlaybackStep.TERMINATED):
        parts = (f"{start:.3f}[.]{end:.3f}" for start, end in event.segments)
        result |= {"progress": event.progress, "played-segments": "[,]".join(parts)}
    whole: dict[str, Any] = {}
    if result:
        whole["extensions"] = {video_extension(name): value for name, value in result.items()}
    if step == PlaybackStep.COMPLETED:
        whole |= {"completion": True, "duration": iso_duration(event.seconds)}
    about = context_of(event.enrolment, event.activity)
    yield StatementDraft(
        user=event.enrolment.user,
        verb=step.value,
        object=activity_of(event.activity),
        registration=event.enrolment.registration,
        result=whole or None,
        context_activities={**about, "category": [video_category()]},
        language=event.language or event.enrolment.user.language,
        extensions={video_extension(n): v for n, v in {**context, **event.player}.items()},
        timestamp=event.at,
        statement_id=event.session if step == PlaybackStep.INITIALIZED else None,
    )


def all_statements() -> list[StatementMapping]:
    """How the room's events become statements."""
    return [
        StatementMapping("courses.registered", Enrolled, _registered),
        StatementMapping("courses.launched", CourseLaunched, _launched),
        StatementMapping("courses.activity_initialized", ActivityStarted, _initialized),
        StatementMapping("courses.activity_completed", ActivityCompleted, _completed),
        StatementMapping("courses.activity_waived", ActivityWaived, _waived),
        StatementMapping("courses.completed", CourseCompleted, _course_completed),
        StatementMapping("courses.unregistered", EnrolmentEnded, _unregistered),
        StatementMapping("courses.playback", PlaybackNoted, _played),
    ]
