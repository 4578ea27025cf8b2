"""Who teaches a course."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import can, require, signed_in
from lms.core.choices import choices
from lms.core.text import in_language
from lms.courses.errors import LastInstructor
from lms.courses.forms.authoring import BiographyForm, StaffForm, add_error, edition
from lms.courses.models import Course, CourseStaff
from lms.courses.queries.teaching import get_staff_of, list_organisations
from lms.courses.services import staff as services
from lms.courses.views import bp
from lms.courses.views.authoring.common import (
    counts_of,
    course_to_edit,
    language_of_course,
    language_tabs,
    mark_missing,
    page,
    source_language,
    tell_conflict,
    working_language,
)
from lms.directory.models import Organisation


def _organisations(course: Course) -> tuple[list[Organisation], list[Any]]:
    """Those of the course first, then all others."""
    near = [course.owner, *course.partners]
    rows = [*near, *(row for row in list_organisations() if row not in near)]
    return rows, choices(
        [("", _("No organisation")), *((str(row.id), in_language(row.name)) for row in rows)]
    )


@bp.route("/teach/courses/<slug>/instructors", methods=["GET", "POST"])
def teach_people(slug: str) -> ResponseReturnValue:
    """The instructors of the course; add one by e-mail."""
    course = course_to_edit(slug)
    rows, listed = _organisations(course)
    form = StaffForm()
    form.organisation.choices = listed
    if not form.validate_on_submit():
        return _people_page(course, form), 422 if form.errors else 200
    person = services.find_person(form.email.data or "")
    if person is None:
        add_error(
            form.email,
            _("Nobody has an account with this address. Ask the person to register first."),
        )
        return _people_page(course, form), 422
    organisation = next((row for row in rows if str(row.id) == form.organisation.data), None)
    services.add_staff(course, person, organisation, signed_in().id)
    flash(_("%(name)s teaches this course now.", name=person.name), "success")
    return redirect(url_for(".teach_people", slug=course.slug), 303)


def _people_page(course: Course, form: StaffForm) -> str:
    return page(
        "people",
        course,
        "people",
        form=form,
        language=working_language(course),
        may_choose=can("courses.choose_instructors", course),
    )


@bp.route("/teach/courses/<slug>/instructors/<int:staff_id>/<language>", methods=["GET", "POST"])
def teach_biography(slug: str, staff_id: int, language: str) -> ResponseReturnValue:
    """Who an instructor is, in one language."""
    course = course_to_edit(slug)
    language_of_course(course, language)
    row = get_staff_of(course, staff_id)
    rows, listed = _organisations(course)
    present = edition(row.biography.get(language), row.organisation_id)
    form = BiographyForm(
        data={
            "organisation": str(row.organisation_id or ""),
            "biography": row.biography.get(language, ""),
            "edition": present,
        }
    )
    form.organisation.choices = listed
    if not form.validate_on_submit():
        return _biography_page(course, row, language, form), 422 if form.errors else 200
    if form.was_changed(present):
        tell_conflict()
        return _biography_page(course, row, language, form), 409
    organisation = next((o for o in rows if str(o.id) == form.organisation.data), None)
    services.change_staff(row, organisation, language, form.biography.data or "")
    flash(_("Saved."), "success")
    return redirect(url_for(".teach_people", slug=course.slug), 303)


def _biography_page(course: Course, row: CourseStaff, language: str, form: BiographyForm) -> str:
    tabs = language_tabs(course, language, ".teach_biography", staff_id=row.id)
    return page(
        "biography",
        course,
        "people",
        row=row,
        form=form,
        language=language,
        source=source_language(course, language, row.biography),
        languages=mark_missing(tabs, counts_of(course, row.biography)),
    )


@bp.post("/teach/courses/<slug>/instructors/<int:staff_id>/remove")
def teach_remove_person(slug: str, staff_id: int) -> ResponseReturnValue:
    """Take an instructor off the course; everybody may leave by themselves."""
    course = course_to_edit(slug)
    row = get_staff_of(course, staff_id)
    user = signed_in()
    if row.user_id != user.id:
        require("courses.choose_instructors", course)
    name = row.user.name
    try:
        services.remove_staff(row, user.id)
    except LastInstructor as refused:
        flash(str(refused.text), "error")
    else:
        flash(_("%(name)s no longer teaches this course.", name=name), "success")
    if not can("courses.edit", course):
        return redirect(url_for(".my_courses"), 303)
    return redirect(url_for(".teach_people", slug=course.slug), 303)
