"""Studying: my courses, the study page, the preview of instructors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from lms.accounts.permissions import can, require, signed_in
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.templating import format_day, format_days, format_moment, format_percent
from lms.core.text import current_language, in_language
from lms.courses.activity_types.base import StudyContext, activity_types
from lms.courses.models import Activity, CourseRun, Enrolment, EnrolmentState, PublicationState
from lms.courses.queries import courses, enrolments
from lms.courses.queries import study as queries
from lms.courses.queries.study import Outline, Step, Week
from lms.courses.services import progress as services
from lms.courses.views import bp
from lms.courses.views.reading import reading, reading_choices, reading_language
from lms.courses.views.shared import module_title

DONE_BY_BUTTON = ("viewed", "marked_done")

StepUrl = Callable[[Activity], str]


@bp.app_template_filter("activity_icon")
def activity_icon(activity: Activity) -> str:
    """Name of the icon of an activity's kind."""
    kind = activity_types.get(activity.kind)
    return kind.icon if kind else "page"


@bp.app_template_filter("activity_label")
def activity_label(activity: Activity) -> str:
    """What kind of activity it is: "Reading"."""
    kind = activity_types.get(activity.kind)
    return str(kind.label) if kind else activity.kind


def _visit(run: CourseRun, enrolment: Enrolment | None) -> Enrolment | None:
    """The visitor's own enrolment, or None for staff who look at the run as a learner does."""
    is_learner = enrolment is not None and enrolment.may_study
    if "preview" in request.args or (not is_learner and can("courses.preview", run)):
        require("courses.preview", run)
        return None
    require("courses.study", enrolment or run)
    return enrolment


def _paused_page(enrolment: Enrolment) -> tuple[str, int]:
    """Why the contents are closed for now, and what opens them."""
    run = enrolment.run
    page = render_template("courses/paused.html", run=run, course=run.course, enrolment=enrolment)
    return page, 403


@bp.get("/study/<int:run_id>")
def study_home(run_id: int) -> ResponseReturnValue:
    """Go to where the learner left off."""
    run = courses.get_run_for_study(run_id)
    own = enrolments.find_enrolment(run, signed_in())
    if own is not None and own.has_place and own.paused_at is not None:
        return _paused_page(own)
    enrolment = _visit(run, own)
    outline = (
        queries.outline_of(enrolment)
        if enrolment
        else queries.make_outline(run.course, run, all_open=True)
    )
    last = next(
        (
            step
            for step in outline.steps
            if enrolment and step.activity.id == enrolment.last_activity_id and step.is_open
        ),
        None,
    )
    if last is not None and last.is_done:
        last = outline.next_step or last
    step = last or outline.next_step or next((s for s in outline.steps if s.is_open), None)
    if step is None:
        return render_template("courses/not_open.html", run=run, course=run.course, outline=outline)
    preview: dict[str, Any] = {} if enrolment else {"preview": 1}
    return redirect(url_for(".study", run_id=run.id, slug=step.activity.slug, **preview))


@bp.get("/study/<int:run_id>/<slug>")
def study(run_id: int, slug: str) -> ResponseReturnValue:
    """One activity of a run, with the outline beside it."""
    place = courses.get_place(run_id, slug, signed_in())
    run, activity = place.run, place.activity
    own = place.enrolment
    if own is not None and own.has_place and own.paused_at is not None:
        return _paused_page(own)
    enrolment = _visit(run, own)
    if activity is None:
        raise NotFound
    if enrolment is None:
        outline = queries.make_outline(run.course, run, all_open=True)
    else:
        outline = queries.outline_of(enrolment)
    preview: dict[str, Any] = {} if enrolment else {"preview": 1}

    def step_url(other: Activity) -> str:
        return url_for(".study", run_id=run.id, slug=other.slug, **preview)

    return _study_page(outline, activity, enrolment, step_url)


@bp.get("/preview/<slug>")
def preview(slug: str) -> ResponseReturnValue:
    """Begin to look at a course as a learner does, without a run."""
    course = courses.get_course_for_study(slug)
    require("courses.preview", course)
    steps = queries.make_outline(course, None).steps
    if not steps:
        flash(_("This course has no published activities yet."), "info")
        return redirect(url_for(".course_page", slug=slug))
    first = steps[0].activity.slug
    return redirect(url_for(".preview_activity", slug=slug, activity_slug=first))


@bp.get("/preview/<slug>/<activity_slug>")
def preview_activity(slug: str, activity_slug: str) -> ResponseReturnValue:
    """An activity as learners will see it; leaves no traces."""
    course = courses.get_course_for_study(slug)
    require("courses.preview", course)
    activity = courses.get_activity(course, activity_slug)

    def step_url(other: Activity) -> str:
        return url_for(".preview_activity", slug=slug, activity_slug=other.slug)

    return _study_page(queries.make_outline(course, None), activity, None, step_url)


def _study_page(
    outline: Outline, activity: Activity, enrolment: Enrolment | None, step_url: StepUrl
) -> ResponseReturnValue:
    course, run = outline.course, outline.run
    week = outline.week_of(activity)
    step = next(s for s in week.steps if s.activity.id == activity.id)
    before, after = outline.around(activity)
    language = reading_language(course)
    context = StudyContext(
        activity=activity,
        run=run,
        user=signed_in(),
        enrolment=enrolment,
        progress=step.progress,
        values=request.args,
    )
    kind = activity_types.get(activity.kind)
    content = None
    if step.is_open and kind is not None:
        with reading(language):
            content = kind.render(context)
    page = render_template(
        "courses/study.html",
        outline=outline,
        course=course,
        run=run,
        week=week,
        step=step,
        activity=activity,
        enrolment=enrolment,
        context=context,
        content=content,
        before=before if before and before.is_open else None,
        after=after if after and after.is_open else None,
        language=language,
        text_language=language if language != current_language() else None,
        languages=reading_choices(course, language),
        weeks=[_outline_week(w, activity, step_url, language, outline) for w in outline.weeks],
        bars=_bars(outline, language),
        progress_text=progress_text(outline),
        standing=standing(outline),
        cohort=cohort_text(outline),
        eyebrow=_eyebrow(week, activity),
        step_url=step_url,
        is_done_by_button=activity.completion in DONE_BY_BUTTON and not step.is_done,
        viewed_after=_seconds_to_view(activity),
        is_seen=step.progress is not None and (step.is_done or activity.completion != "viewed"),
    )
    return page, 200 if step.is_open else 403


def _seconds_to_view(activity: Activity) -> int:
    """How long an activity must be on screen to count as seen: most of a film, else a moment."""
    duration = activity.settings.get("duration")
    return max(5, min(1800, int(duration * 0.8))) if isinstance(duration, int | float) else 5


def _eyebrow(week: Week, activity: Activity) -> str:
    parts = [
        str(_("Week %(week)s", week=week.module.position)),
        activity_label(activity),
    ]
    if activity.minutes:
        parts.append(str(_("%(minutes)s min", minutes=activity.minutes)))
    if not activity.is_required:
        parts.append(str(_("optional")))
    return " · ".join(parts)


def progress_text(outline: Outline) -> str:
    """How much is done: "5 of 11 done"."""
    return str(_("%(done)s of %(total)s done", done=outline.done, total=outline.total))


def standing(outline: Outline) -> str:
    """Whether the learner is on time, and what is due next, in one friendly sentence."""
    if outline.run is None or not outline.total:
        return ""
    if outline.done == outline.total:
        return str(_("Everything is done."))
    late = len(outline.overdue)
    if late:
        text = ngettext(
            "%(num)s activity is past its date: you can still do it until %(day)s.",
            "%(num)s activities are past their date: you can still do them until %(day)s.",
            late,
            day=format_day(outline.run.ends_on, "MMMd"),
        )
        if outline.now <= outline.run.ends_at:
            return str(text)
        return str(
            ngettext(
                "%(num)s activity is still open for you.",
                "%(num)s activities are still open for you.",
                late,
            )
        )
    due = outline.next_due
    if due is not None:
        return str(_("You are on time; next due %(day)s.", day=format_day(due.due_at, "MMMd")))
    return str(_("You are on time."))


def cohort_text(outline: Outline) -> str:
    """Where the run stands: "Day 9 of 21"."""
    run = outline.run
    if run is None:
        return ""
    today = clock.local_date(outline.now, run.time_zone)
    span = format_days(run.starts_on, run.ends_on)
    if run.starts_on <= today <= run.ends_on:
        day = (today - run.starts_on).days + 1
        return str(_("%(span)s · day %(day)s of %(days)s", span=span, day=day, days=run.days))
    return span


def _bars(outline: Outline, language: str) -> list[dict[str, Any]]:
    return [
        {
            "label": _(
                "%(title)s: %(done)s of %(total)s done",
                title=module_title(week.module, language),
                done=week.done,
                total=len(week.required),
            ),
            "done": week.done,
            "total": len(week.required),
        }
        for week in outline.weeks
    ]


def _outline_week(
    week: Week, current: Activity, step_url: StepUrl, language: str, outline: Outline
) -> dict[str, Any]:
    dates = _span(week)
    if not week.is_open and week.opens_at is not None:
        dates = str(_("opens %(moment)s", moment=format_moment(week.opens_at)))
    return {
        "title": module_title(week.module, language),
        "dates": dates,
        "steps": [
            {
                "title": in_language(step.activity.title, language),
                "note": _note(step, outline),
                "state": "done" if step.is_done else "open" if step.is_open else "locked",
                "is_current": step.activity.id == current.id,
                "url": step_url(step.activity),
            }
            for step in week.steps
        ],
    }


def _span(week: Week) -> str:
    """The days of a week, short: "8–14 Feb"."""
    if week.first_day is None or week.last_day is None:
        return ""
    return format_days(week.first_day, week.last_day, "MMMd")


def _note(step: Step, outline: Outline) -> str:
    activity = step.activity
    kind = activity_types.get(activity.kind)
    parts = [activity_label(activity)]
    if activity.minutes:
        parts = [str(_("%(minutes)s min", minutes=activity.minutes)), *parts]
    more = kind.outline_note(activity) if kind else None
    if more:
        parts.append(more)
    if step.progress is not None and step.progress.score is not None:
        parts.append(format_percent(step.progress.score))
    if not activity.is_required:
        parts.append(str(_("optional")))
    if step.is_waived:
        parts.append(str(_("waived")))
    elif step.is_done:
        parts.append(str(_("done")))
    elif step.due_at is not None:
        day = format_day(step.due_at, "MMMd")
        if step.is_overdue(outline.now):
            parts.append(str(_("was due %(day)s", day=day)))
        else:
            parts.append(str(_("due %(day)s", day=day)))
    return ", ".join(parts)


def _own(run_id: int, slug: str) -> tuple[CourseRun, Enrolment, Activity]:
    run = courses.get_run_for_study(run_id)
    enrolment = enrolments.get_enrolment(run, signed_in())
    require("courses.study", enrolment)
    return run, enrolment, courses.get_activity(run.course, slug)


@bp.post("/study/<int:run_id>/<slug>/viewed")
def note_viewed(run_id: int, slug: str) -> ResponseReturnValue:
    """The page tells that the learner has seen it."""
    _run, enrolment, activity = _own(run_id, slug)
    services.view_activity(enrolment, activity)
    return "", 204


@bp.post("/study/<int:run_id>/<slug>/done")
def go_on(run_id: int, slug: str) -> ResponseReturnValue:
    """The learner is done with an activity and goes on to the next."""
    run, enrolment, activity = _own(run_id, slug)
    if activity.completion in DONE_BY_BUTTON:
        services.complete_activity(enrolment, activity)
    else:
        services.start_activity(enrolment, activity)
    outline = queries.outline_of(enrolment)
    _before, after = outline.around(activity)
    if after is not None and after.is_open:
        return redirect(url_for(".study", run_id=run.id, slug=after.activity.slug), 303)
    if enrolment.state == EnrolmentState.COMPLETED:
        title = in_language(run.course.title)
        flash(_("You have completed %(title)s. Congratulations.", title=title), "success")
    elif after is not None:
        opening = outline.week_of(after.activity).opens_at
        flash(
            _(
                "That is all for now. The next week opens %(moment)s.",
                moment=format_moment(opening),
            ),
            "success",
        )
    elif outline.next_step is not None:
        title = in_language(outline.next_step.activity.title)
        flash(_("You are at the end. Still to do: %(title)s.", title=title), "info")
    return redirect(url_for(".my_courses"), 303)


@bp.get("/my/courses")
def my_courses() -> ResponseReturnValue:
    """What the person studies, waits for and has completed."""
    require("courses.my_courses")
    user = signed_in()
    now = clock.now()
    rows = enrolments.list_enrolments(user)
    positions = (
        enrolments.waiting_positions(user)
        if any(row.state == EnrolmentState.WAITLISTED for row in rows)
        else {}
    )
    waiting = (EnrolmentState.WAITLISTED, EnrolmentState.OFFERED, EnrolmentState.PENDING_PAYMENT)
    held = (*waiting, EnrolmentState.ACTIVE)
    cancelled = [
        row for row in rows if row.run.state == PublicationState.CANCELLED and row.state in held
    ]
    rows = [row for row in rows if row not in cancelled]
    active = [row for row in rows if row.state == EnrolmentState.ACTIVE]
    return render_template(
        "courses/my_courses.html",
        current=[_standing_of(row) for row in active if row.run.ends_at >= now],
        past=[_standing_of(row) for row in active if row.run.ends_at < now],
        cancelled=cancelled,
        waiting=[row for row in rows if row.state in waiting],
        completed=[row for row in rows if row.state == EnrolmentState.COMPLETED],
        positions=positions,
    )


def _standing_of(enrolment: Enrolment) -> dict[str, Any]:
    outline = queries.outline_of(enrolment)
    return {
        "enrolment": enrolment,
        "outline": outline,
        "progress_text": progress_text(outline),
        "standing": standing(outline),
        "cohort": cohort_text(outline),
        "bars": _bars(outline, current_language()),
    }
