"""What all pages of one course for its authors share."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from lms.accounts.permissions import can, present_user, require
from lms.core.errors import NotFound
from lms.core.text import current_language
from lms.core.web import seldom_asked
from lms.courses.models import Course, EnrolmentState, PublicationState
from lms.courses.queries import teaching
from lms.courses.queries.courses import get_course
from lms.courses.services.authoring import is_missing, missing_texts
from lms.courses.views import bp
from lms.courses.views.shared import language_name


def is_author() -> bool:
    """Whether the menu shows the way to teaching."""
    user = present_user()
    if user is None:
        return False
    return user.is_administrator or seldom_asked("teaches", lambda: can("courses.create"))


def course_to_edit(slug: str, permission: str = "courses.edit") -> Course:
    """The course with its contents, for somebody who may edit it."""
    course = teaching.get_course_for_authoring(slug)
    require(permission, course)
    return course


def course_only(slug: str, permission: str = "courses.edit") -> Course:
    """The course alone, for somebody who may edit it."""
    course = get_course(slug)
    require(permission, course)
    return course


def language_of_course(course: Course, language: str) -> str:
    """The language when the course has it. Raises NotFound."""
    if language not in course.languages:
        raise NotFound
    return language


def working_language(course: Course) -> str:
    """The language in which an author most likely goes on: the page's, else the course's first."""
    mine = current_language()
    return mine if mine in course.languages else course.languages[0]


def page(template: str, course: Course, tab: str, **values: Any) -> str:
    """A page of one course for its authors."""
    return render_template(
        f"courses/authoring/{template}.html", course=course, tabs=_tabs(course, tab), **values
    )


def _tabs(course: Course, current: str) -> list[dict[str, Any]]:
    language = working_language(course)
    entries = [
        ("description", _("Description"), url_for(".teach_description", slug=course.slug,
                                                  language=language)),
        ("contents", _("Contents"), url_for(".teach_contents", slug=course.slug)),
        ("runs", _("Runs"), url_for(".teach_runs", slug=course.slug)),
        ("people", _("Instructors"), url_for(".teach_people", slug=course.slug)),
        ("media", _("Media"), url_for(".teach_media", slug=course.slug)),
        ("learners", _("Learners"), url_for(".teach_learners", slug=course.slug)),
        ("settings", _("Settings"), url_for(".teach_settings", slug=course.slug)),
    ]  # fmt: skip
    return [
        {"label": label, "url": url, "is_current": name == current} for name, label, url in entries
    ]


def language_tabs(
    course: Course, current: str, endpoint: str, **values: Any
) -> list[dict[str, Any]]:
    """One tab for each language of the course, for pages of one thing in one language."""
    return [
        {
            "label": language_name(code),
            "url": url_for(endpoint, slug=course.slug, language=code, **values),
            "is_current": code == current,
            "code": code,
        }
        for code in course.languages
    ]


def mark_missing(tabs: list[dict[str, Any]], counts: dict[str, int]) -> list[dict[str, Any]]:
    """Tell on each language tab how many texts still wait for a translation."""
    for tab in tabs:
        count = counts.get(tab["code"], 0)
        if count:
            tab["label"] = _("%(language)s (%(count)d to translate)", language=tab["label"],
                             count=count)  # fmt: skip
    return tabs


def description_counts(course: Course) -> dict[str, int]:
    """How many texts of the description wait for a translation, by language."""
    return {code: len(missing_texts(course, code)) for code in course.languages}


def counts_of(course: Course, *texts: dict[str, str]) -> dict[str, int]:
    """The same for the texts of a module, an activity, a person."""
    return {code: sum(is_missing(t, code) for t in texts) for code in course.languages}


def source_language(course: Course, language: str, *texts: dict[str, str]) -> str | None:
    """The language whose texts stand beside those that are being translated."""
    for code in course.languages:
        if code != language and any(t.get(code) for t in texts):
            return code
    return None


def tell_conflict() -> None:
    """Somebody else changed the same thing: say so, and that nothing typed is lost."""
    flash(
        _(
            "Somebody changed this at the same time. What you typed is below and not saved yet:"
            " compare it with the present state, then save again to replace that."
        ),
        "warning",
    )


@bp.app_template_filter("state_label")
def state_label(state: str) -> str:
    """Whether a course or run is shown to the public."""
    texts = {
        PublicationState.DRAFT: _("Draft"),
        PublicationState.PUBLISHED: _("Published"),
        PublicationState.ARCHIVED: _("Archived"),
        PublicationState.CANCELLED: pgettext("course run", "Cancelled"),
    }
    return str(texts.get(PublicationState(state), state))


@bp.app_template_filter("state_kind")
def state_kind(state: str) -> str:
    """The kind of badge for a state."""
    kinds = {PublicationState.PUBLISHED: "success", PublicationState.CANCELLED: "danger"}
    return kinds.get(PublicationState(state), "neutral")


@bp.app_template_filter("enrolment_label")
def enrolment_label(state: str) -> str:
    """Where an enrolment stands."""
    texts = {
        EnrolmentState.WAITLISTED: _("Waiting"),
        EnrolmentState.OFFERED: _("Place offered"),
        EnrolmentState.PENDING_PAYMENT: _("Payment expected"),
        EnrolmentState.ACTIVE: _("Active"),
        EnrolmentState.COMPLETED: pgettext("enrolment", "Completed"),
        EnrolmentState.WITHDRAWN: _("Withdrawn"),
        EnrolmentState.REFUNDED: pgettext("enrolment", "Refunded"),
        EnrolmentState.EXPIRED: _("Expired"),
    }
    return str(texts.get(EnrolmentState(state), state))
