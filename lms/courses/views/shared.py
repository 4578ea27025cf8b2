"""What several pages of the room say in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel import Locale, UnknownLocaleError
from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from lms.config import LANGUAGES
from lms.core import clock
from lms.core.templating import format_day, format_money, format_number
from lms.core.text import in_language, language_of
from lms.courses.enrolment_methods.base import ShownPrice
from lms.courses.models import Course, CourseRun, Level, Module
from lms.courses.queries.catalogue import Card, RunState
from lms.courses.views import bp


@bp.app_template_filter("language_name")
def language_name(code: str) -> str:
    """A language as its speakers call it: "Español"."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    try:
        name = Locale.parse(code, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        return code
    return (name or code).capitalize()


@bp.app_template_filter("language_names")
def language_names(codes: list[str]) -> str:
    """Languages in a row: "Español · English"."""
    return " · ".join(language_name(code) for code in codes)


@bp.app_template_filter("price_text")
def price_text(run: CourseRun) -> str:
    """The price of a run, or that it is free."""
    return format_money(run.price) if run.price else str(_("Free"))


@bp.app_template_filter("level_text")
def level_text(level: str) -> str:
    """How much a course asks beforehand."""
    texts = {
        Level.INTRODUCTORY: _("Introductory"),
        Level.INTERMEDIATE: _("Intermediate"),
        Level.ADVANCED: _("Advanced"),
    }
    return str(texts.get(Level(level), level))


@bp.app_template_filter("weeks_text")
def weeks_text(weeks: int) -> str:
    """The length of a course."""
    return str(ngettext("%(num)s week", "%(num)s weeks", weeks))


@bp.app_template_filter("hours_text")
def hours_text(hours: float) -> str:
    """Working hours of a learner."""
    count = 1 if hours == 1 else max(2, round(hours))
    text = ngettext("%(hours)s hour", "%(hours)s hours", count, hours=format_number(hours, 1))
    return str(text)


@bp.app_template_filter("module_title")
def module_title(module: Module, language: str | None = None) -> str:
    """A module as its learners know it: "Week 2 · Planning with people"."""
    week, title = module.position, in_language(module.title, language)
    return str(_("Week %(week)s · %(title)s", week=week, title=title))


def state_text(run: CourseRun, state: RunState) -> str:
    """How open a run is, in two or three words."""
    if state == RunState.NOT_YET_OPEN:
        return str(_("Enrolment opens %(day)s", day=format_day(run.enrolment_opens_at, "MMMd")))
    texts = {
        RunState.OPEN: pgettext("course run", "Open"),
        RunState.FEW_PLACES: _("Few places left"),
        RunState.FULL: _("Full, waiting list"),
        RunState.STARTS_SOON: _("Starts soon"),
        RunState.CLOSED: _("Enrolment has ended"),
    }
    return str(texts[state])


def credit_text(course: Course) -> str:
    """The badge of a course: hours that an association credits, else hours of work."""
    if course.credits:
        hours = format_number(max(credit.hours for credit in course.credits), 1)
        return str(_("%(hours)s CPD hours · accredited", hours=hours))
    return hours_text(course.hours)


def card_values(
    card: Card, level: int = 3, prices: Mapping[int, ShownPrice] | None = None
) -> dict[str, Any]:
    """What the macro `course_card` shows of a course. prices: by id of the run."""
    course, run = card.course, card.run
    length = weeks_text(course.weeks)
    first = length
    if run is not None:
        now = clock.now()
        day = format_day(run.starts_on, "MMMd" if run.starts_on.year == now.year else "yMMMd")
        if run.starts_at <= now:
            first = str(_("%(length)s · began %(day)s", length=length, day=day))
        else:
            first = str(_("%(length)s · starts %(day)s", length=length, day=day))
    shown = (prices or {}).get(run.id) if run else None
    return {
        "title": in_language(course.title),
        "url": url_for("courses.course_page", slug=course.slug),
        "topic": in_language(course.topic.name) if course.topic else "",
        "topic_key": course.topic.slug if course.topic else "",
        "slug": course.slug,
        "meta": [first, language_names(course.languages)],
        "credit": credit_text(course),
        "price": shown.text if shown else price_text(run) if run else None,
        "status": state_text(run, card.state) if run and card.state else _("No dates yet"),
        "level": level,
        "lang": language_of(course.title),
    }
