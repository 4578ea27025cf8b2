"""My courses as an author; beginning, describing, publishing one."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import can, require, signed_in
from lms.core.choices import choices
from lms.core.db import db
from lms.core.markdown import render_markdown
from lms.core.pagination import paginate
from lms.core.text import current_language
from lms.core.web import page_number, read_only_post
from lms.courses.errors import NotReady
from lms.courses.forms.authoring import (
    DescriptionForm,
    FactsForm,
    NewCourseForm,
    description_edition,
    description_values,
    edition,
    facts_form,
    facts_values,
    organisation_choices,
    signatories_of,
    topic_choices,
)
from lms.courses.media import media_links
from lms.courses.models import Course, Topic
from lms.courses.queries import teaching
from lms.courses.services import authoring, publication
from lms.courses.services.publication import Problem
from lms.courses.views import bp
from lms.courses.views.authoring.common import (
    course_only,
    course_to_edit,
    description_counts,
    language_of_course,
    language_tabs,
    mark_missing,
    page,
    source_language,
    tell_conflict,
    working_language,
)
from lms.directory.models import Organisation

_ROWS = {"outcome": "outcomes", "faq": "faq", "signatory": "signatories"}


@bp.get("/teach/")
def teach() -> ResponseReturnValue:
    """The courses that I write and teach."""
    require("courses.create")
    user = signed_in()
    query = request.args.get("q", "")[:200]
    found = paginate(teaching.list_taught_courses(user, query), page_number())
    return render_template(
        "courses/authoring/list.html",
        page=found,
        query=query,
        learners=teaching.learner_counts([course.id for course in found.items]),
        page_url=lambda number: url_for(".teach", page=number, q=query or None),
    )


@bp.route("/teach/new", methods=["GET", "POST"])
def teach_new() -> ResponseReturnValue:
    """Begin a course with a few fields."""
    require("courses.create")
    user = signed_in()
    owners = teaching.organisations_for(user)
    topics = _topics()
    form = NewCourseForm(data={"language": current_language()})
    form.owner.choices = organisation_choices(owners)
    form.topic.choices = topic_choices(topics)
    if not form.validate_on_submit():
        return render_template("courses/authoring/new.html", form=form, owners=owners), _status(
            form
        )
    course = authoring.create_course(
        form.uuid,
        user,
        title=form.title.data or "",
        language=form.language.data,
        owner=_chosen(owners, form.owner.data),
        topic=next((t for t in topics if str(t.id) == form.topic.data), None),
        weeks=form.weeks.data or 1,
        hours=form.hours.data or 1.0,
    )
    flash(_("The course is begun. Nobody sees it before you publish it."), "success")
    return redirect(_description_url(course, form.language.data), 303)


@bp.get("/teach/courses/<slug>")
def teach_course(slug: str) -> ResponseReturnValue:
    """The first page of a course for its authors."""
    course = course_only(slug)
    return redirect(_description_url(course, working_language(course)))


@bp.route("/teach/courses/<slug>/description/<language>", methods=["GET", "POST"])
def teach_description(slug: str, language: str) -> ResponseReturnValue:
    """What the course says of itself, in one language."""
    course = course_only(slug)
    language_of_course(course, language)
    present = description_edition(course, language)
    form = DescriptionForm(data=description_values(course, language) | {"edition": present})
    deed = request.form.get("do", "")
    if request.method == "POST" and deed:
        return _description_page(course, language, _with_other_rows(form, deed)), 200
    if not form.validate_on_submit():
        return _description_page(course, language, form), _status(form)
    if form.was_changed(present):
        tell_conflict()
        return _description_page(course, language, form), 409
    authoring.describe(course, language, form.answer(language))
    flash(_("The description is saved."), "success")
    return redirect(_description_url(course, language), 303)


def _with_other_rows(form: DescriptionForm, deed: str) -> DescriptionForm:
    """The same form after a row was added, taken away or moved up; nothing is saved."""
    data: dict[str, Any] = dict(form.data)
    data.pop("csrf_token", None)
    _change_rows(data, deed)
    return DescriptionForm(formdata=None, data=data)


def _change_rows(data: dict[str, Any], deed: str) -> None:
    verb, _dash, rest = deed.partition("-")
    name, _dash, place = rest.partition("-")
    rows = data.get(_ROWS.get(name, ""))
    if rows is None:
        return
    here = int(place) if place.isdecimal() and len(place) < 5 else -1
    if verb == "add" and len(rows) < 50:
        rows.append({})
    elif verb == "remove" and 0 <= here < len(rows):
        rows.pop(here)
    elif verb == "up" and 0 < here < len(rows):
        rows[here - 1], rows[here] = rows[here], rows[here - 1]


def _description_page(course: Course, language: str, form: DescriptionForm) -> str:
    source = source_language(course, language, course.title, course.summary, course.description)
    tabs = language_tabs(course, language, ".teach_description")
    return page(
        "description",
        course,
        "description",
        form=form,
        language=language,
        source=source,
        source_values=description_values(course, source) if source else {},
        languages=mark_missing(tabs, description_counts(course)),
        missing=set(authoring.missing_texts(course, language)),
    )


@bp.post("/teach/courses/<slug>/preview")
@read_only_post
def teach_markdown(slug: str) -> ResponseReturnValue:
    """Markdown as learners will see it, for the editor's preview."""
    course = course_only(slug)
    text = request.form.get("text", "")[:200_000]
    return str(render_markdown(text, media_links(course)))


@bp.route("/teach/courses/<slug>/settings", methods=["GET", "POST"])
def teach_settings(slug: str) -> ResponseReturnValue:
    """Facts of the course, publication, package."""
    course = course_to_edit(slug)
    user = signed_in()
    topics = _topics()
    mine, possible = teaching.owners_and_partners(course, user)
    owners = mine if course.owner in mine else [course.owner, *mine]
    form_class, lists = facts_form(course, topics, owners, possible)
    present = edition(facts_values(course))
    form = form_class(data=facts_values(course) | {"edition": present})
    deed = request.form.get("do", "")
    if request.method == "POST" and deed:
        data = dict(form.data)
        data.pop("csrf_token", None)
        _change_rows(data, deed)
        form = form_class(formdata=None, data=data)
        return _settings_page(course, form, lists), 200
    _choose(form, lists)
    if not form.validate_on_submit():
        return _settings_page(course, form, lists), _status(form)
    if form.was_changed(present):
        tell_conflict()
        return _settings_page(course, form, lists), 409
    first = form.first_language.data
    authoring.change_facts(
        course,
        authoring.Facts(
            topic=next((t for t in topics if str(t.id) == form.topic.data), None),
            level=form.level.data,
            hours=form.hours.data or 1.0,
            weeks=form.weeks.data or 1,
            languages=list(dict.fromkeys([first, *(form.languages.data or [])])),
            owner=_chosen(owners, form.owner.data),
            partners=[row for row in possible if str(row.id) in (form.partners.data or [])],
            minimum_grade=None
            if form.minimum_grade.data is None
            else form.minimum_grade.data / 100,
            certificate_months=form.certificate_months.data,
            license=form.license.data or None,
            signatories=signatories_of(form, course),
        ),
        user.id,
    )
    flash(_("The settings are saved."), "success")
    return redirect(url_for(".teach_settings", slug=course.slug), 303)


def _choose(form: FactsForm, lists: dict[str, list[Any]]) -> None:
    for name in ("topic", "owner", "partners", "languages", "first_language"):
        form[name].choices = lists[name]
    for row in form["signatories"]:
        row.form.organisation.choices = lists["signatory"]
        if row.form.organisation.data is None:
            row.form.organisation.data = ""
        if row.form.organisation.data not in {choice.value for choice in lists["signatory"]}:
            kept = row.form.organisation.data
            row.form.organisation.choices = [*lists["signatory"], *choices([(kept, kept)])]


def _settings_page(course: Course, form: FactsForm, lists: dict[str, list[Any]]) -> str:
    _choose(form, lists)
    return page(
        "settings",
        course,
        "settings",
        form=form,
        problems=[(problem, _where(course, problem)) for problem in _problems(course)],
        may_publish=can("courses.publish", course),
    )


def _problems(course: Course) -> list[Problem]:
    return publication.list_problems(course)


def _where(course: Course, problem: Problem) -> str:
    language = problem.language or course.languages[0]
    if problem.activity is not None:
        return url_for(
            ".teach_activity", slug=course.slug, activity_id=problem.activity.id, language=language
        )
    if problem.page == "description":
        return _description_url(course, language)
    return url_for(f".teach_{problem.page}", slug=course.slug)


@bp.post("/teach/courses/<slug>/publish")
def teach_publish(slug: str) -> ResponseReturnValue:
    """Show the course to the public."""
    course = course_to_edit(slug, "courses.publish")
    try:
        publication.publish_course(course, signed_in().id)
    except NotReady:
        flash(_("Some things are still missing. They are listed below."), "error")
    else:
        flash(_("The course is published."), "success")
    return redirect(url_for(".teach_settings", slug=course.slug), 303)


@bp.post("/teach/courses/<slug>/unpublish")
def teach_unpublish(slug: str) -> ResponseReturnValue:
    """Hide the course from the public."""
    course = course_only(slug, "courses.publish")
    publication.unpublish_course(course, signed_in().id)
    flash(_("The course is hidden from the public. Learners of its runs go on."), "success")
    return redirect(url_for(".teach_settings", slug=course.slug), 303)


def _topics() -> list[Topic]:
    return list(db.session.scalars(select(Topic).order_by(Topic.position)))


def _chosen(organisations: list[Organisation], key: str) -> Organisation:
    return next(row for row in organisations if str(row.id) == key)


def _description_url(course: Course, language: str) -> str:
    return url_for(".teach_description", slug=course.slug, language=language)


def _status(form: Any) -> int:
    return 422 if form.errors else 200
