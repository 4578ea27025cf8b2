"""The language in which a learner reads a course: the page's, unless they chose another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import request, session

from lms.config import LANGUAGES
from lms.core.language import speaking
from lms.core.text import current_language
from lms.courses.models import Course
from lms.courses.views.shared import language_name

_KEPT = 20  # choices in one session


@dataclass(frozen=True)
class Choice:
    """One language of a course, as the switch on the study page shows it."""

    code: str
    label: str
    is_current: bool


def reading_language(course: Course) -> str:
    """The chosen language of the course (`?read=`, then the session), else the reader's."""
    chosen: dict[str, str] = session.get("reading", {})
    wanted = request.args.get("read")
    if wanted in course.languages and wanted in LANGUAGES:
        if chosen.get(course.slug) != wanted:
            kept = list((chosen | {course.slug: wanted}).items())[-_KEPT:]
            session["reading"] = dict(kept)
        return wanted
    kept_choice = chosen.get(course.slug)
    if kept_choice in course.languages:
        return kept_choice
    mine = current_language()
    if mine in course.languages:
        return mine
    return next((code for code in ("en", *course.languages) if code in course.languages), mine)


def reading_choices(course: Course, current: str) -> list[Choice]:
    """The languages between which the reader can switch; none when there is only one."""
    codes = [code for code in course.languages if code in LANGUAGES]
    if len(codes) < 2:
        return []
    return [Choice(code, language_name(code), code == current) for code in codes]


@contextmanager
def reading(language: str) -> Iterator[None]:
    """What is rendered inside speaks the language of the course text around it."""
    if language == current_language():
        yield
        return
    with speaking(language):
        yield
