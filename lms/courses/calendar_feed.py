"""Due dates as iCalendar (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask_babel import gettext as _
from icalendar import Calendar, Event

from lms.core import clock
from lms.core.settings import settings
from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.courses.models import Enrolment
from lms.courses.queries.study import Outline, Step, outline_of

_BLOCK = timedelta(minutes=30)  # how long before its end a due date shows in the calendar


def make_calendar(enrolments: Iterable[Enrolment]) -> bytes:
    """The feed with begin and due dates of all runs that these enrolments let the person study.

    Each event keeps its UID, so that calendars change it instead of adding another. All times
    are in UTC: every calendar shows them in its owner's zone.
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings().site_name}//courses//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", str(_("%(site)s: due dates", site=settings().site_name)))
    calendar.add("refresh-interval", timedelta(hours=6), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    stamp = clock.now()
    for enrolment in enrolments:
        if not enrolment.may_study:
            continue
        outline = outline_of(enrolment)
        calendar.add_component(_begin(enrolment, stamp))
        for step in outline.steps:
            if step.due_at is not None:
                calendar.add_component(_due(enrolment, outline, step, stamp))
    return bytes(calendar.to_ical())


def _event(uid: str, stamp: datetime, summary: str, start: datetime, end: datetime) -> Event:
    event = Event()
    event.add("uid", f"{uid}@{urlsplit(settings().base_url).hostname}")
    event.add("dtstamp", stamp)
    event.add("summary", summary)
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("transp", "TRANSPARENT")
    return event


def _begin(enrolment: Enrolment, stamp: datetime) -> Event:
    run = enrolment.run
    title = in_language(run.course.title)
    summary = str(_("Begins: %(title)s", title=title))
    event = _event(f"{run.uuid}-begin", stamp, summary, run.starts_at, run.starts_at + _BLOCK)
    event.add("url", absolute_url("courses.study_home", run_id=run.id))
    return event


def _due(enrolment: Enrolment, outline: Outline, step: Step, stamp: datetime) -> Event:
    run, activity = enrolment.run, step.activity
    assert step.due_at is not None
    title = in_language(activity.title)
    if step.is_waived:
        summary = str(_("Waived: %(title)s", title=title))
    elif step.is_done:
        summary = str(_("Done: %(title)s", title=title))
    else:
        summary = str(_("Due: %(title)s", title=title))
    event = _event(f"{run.uuid}-{activity.uuid}", stamp, summary, step.due_at - _BLOCK, step.due_at)
    event.add("description", in_language(outline.course.title))
    event.add("url", absolute_url("courses.study", run_id=run.id, slug=activity.slug))
    return event
