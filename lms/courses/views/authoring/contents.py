"""Modules and activities."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer
from wtforms import Form

from lms.core.choices import choices
from lms.core.errors import InvalidInput
from lms.core.settings import settings
from lms.core.text import in_language
from lms.courses.activity_types.base import activity_types
from lms.courses.errors import ModuleNotEmpty, PackageError, StudiedActivity
from lms.courses.forms.authoring import (
    ActivityForm,
    ModuleForm,
    NewActivityForm,
    RemoveModuleForm,
    activity_edition,
    activity_values,
    add_error,
    module_edition,
    settings_values,
)
from lms.courses.models import Activity, Course, Module
from lms.courses.queries.teaching import get_activity_of, get_module_of
from lms.courses.services import contents
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

UNDO_WITHIN = 24 * 3600  # seconds


def _undo() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret(), salt="restore-module")


@bp.get("/teach/courses/<slug>/contents")
def teach_contents(slug: str) -> ResponseReturnValue:
    """Modules with their activities, in order."""
    course = course_to_edit(slug)
    language = working_language(course)
    removed = request.args.get("removed")
    return page(
        "contents",
        course,
        "contents",
        language=language,
        shown={m.id: [_item(course, a, language) for a in m.activities if a.is_published]
               for m in course.modules},
        kept_back=[a for m in course.modules for a in m.activities if not a.is_published],
        removed_title=_removed_title(removed),
        removed=removed,
    )  # fmt: skip


def _item(course: Course, activity: Activity, language: str) -> dict[str, Any]:
    kind = activity_types.get(activity.kind)
    notes = [str(kind.label) if kind else activity.kind]
    if activity.minutes:
        notes.append(_("%(minutes)s min", minutes=activity.minutes))
    if activity.due_day:
        notes.append(_("due on day %(day)s", day=activity.due_day))
    if not activity.is_required:
        notes.append(_("optional"))
    return {
        "id": activity.id,
        "label": in_language(activity.title),
        "url": url_for(
            ".teach_activity", slug=course.slug, activity_id=activity.id, language=language
        ),
        "note": " · ".join(notes),
        "activity": activity,
    }


@bp.post("/teach/courses/<slug>/contents/order")
def teach_order_modules(slug: str) -> ResponseReturnValue:
    """Bring the modules into another order."""
    course = course_to_edit(slug)
    return _reorder(course, course.modules, [])


@bp.post("/teach/courses/<slug>/modules/<int:module_id>/order")
def teach_order_activities(slug: str, module_id: int) -> ResponseReturnValue:
    """Bring the activities of a module into another order; kept back ones come last."""
    course = course_to_edit(slug)
    module = get_module_of(course, module_id)
    shown = [activity for activity in module.activities if activity.is_published]
    kept_back = [activity for activity in module.activities if not activity.is_published]
    return _reorder(course, shown, kept_back)


def _reorder(course: Course, items: list[Any], after: list[Any]) -> ResponseReturnValue:
    order = request.form.get("order")
    if order is not None:
        contents.reorder(items, _numbers(order), after)
        return "", 204
    item, direction = request.form.get("item", ""), request.form.get("direction", "")
    if not item.isdecimal() or direction not in ("up", "down"):
        raise InvalidInput
    contents.move(items, int(item), direction, after)
    return redirect(url_for(".teach_contents", slug=course.slug), 303)


def _numbers(text: str) -> list[int]:
    parts = text.split(",") if text else []
    if not all(part.isdecimal() and len(part) < 15 for part in parts):
        raise InvalidInput
    return [int(part) for part in parts]


@bp.route("/teach/courses/<slug>/modules/new", methods=["GET", "POST"])
def teach_new_module(slug: str) -> ResponseReturnValue:
    """Put a module at the end."""
    course = course_to_edit(slug)
    language = working_language(course)
    form = ModuleForm()
    if not form.validate_on_submit():
        return page(
            "module", course, "contents", form=form, module=None, language=language, languages=[]
        ), _status(form)
    module = contents.add_module(course, language, form.title.data or "", form.summary.data or "")
    module.release_day = form.release_day.data
    flash(_("The module is added."), "success")
    return redirect(_contents_url(course, module), 303)


@bp.route("/teach/courses/<slug>/modules/<int:module_id>/<language>", methods=["GET", "POST"])
def teach_module(slug: str, module_id: int, language: str) -> ResponseReturnValue:
    """A module in one language."""
    course = course_to_edit(slug)
    language_of_course(course, language)
    module = get_module_of(course, module_id)
    present = module_edition(module, language)
    form = ModuleForm(
        data={
            "title": module.title.get(language, ""),
            "summary": module.summary.get(language, ""),
            "release_day": module.release_day,
            "edition": present,
        }
    )
    if not form.validate_on_submit():
        return _module_page(course, module, language, form), _status(form)
    if form.was_changed(present):
        tell_conflict()
        return _module_page(course, module, language, form), 409
    contents.change_module(
        module, language, form.title.data or "", form.summary.data or "", form.release_day.data
    )
    flash(_("The module is saved."), "success")
    return redirect(_contents_url(course, module), 303)


def _module_page(course: Course, module: Module, language: str, form: ModuleForm) -> str:
    tabs = language_tabs(course, language, ".teach_module", module_id=module.id)
    return page(
        "module",
        course,
        "contents",
        form=form,
        module=module,
        language=language,
        source=source_language(course, language, module.title, module.summary),
        languages=mark_missing(tabs, counts_of(course, module.title, module.summary)),
    )


@bp.route("/teach/courses/<slug>/modules/<int:module_id>/remove", methods=["GET", "POST"])
def teach_remove_module(slug: str, module_id: int) -> ResponseReturnValue:
    """Ask where its activities go, then remove a module; it can be restored for a day."""
    course = course_to_edit(slug)
    module = get_module_of(course, module_id)
    others = [other for other in course.modules if other is not module]
    form = RemoveModuleForm()
    form.to.choices = choices((str(m.id), in_language(m.title)) for m in others)
    form.to.validate_choice = bool(module.activities)
    is_right = form.validate_on_submit()
    to = next((m for m in others if str(m.id) == form.to.data), None)
    if is_right and module.activities and to is None:
        add_error(form.to, str(ModuleNotEmpty.message))
        is_right = False
    if not is_right:
        return page(
            "remove_module", course, "contents", form=form, module=module, others=others
        ), _status(form)
    token = _undo().dumps(contents.remove_module(module, to))
    return redirect(url_for(".teach_contents", slug=course.slug, removed=token), 303)


def _removed_title(token: str | None) -> str | None:
    """The title of the module that this token can bring back."""
    try:
        return in_language(_undo().loads(token or "", max_age=UNDO_WITHIN)["title"])
    except BadSignature:
        return None


@bp.post("/teach/courses/<slug>/modules/restore")
def teach_restore_module(slug: str) -> ResponseReturnValue:
    """Bring a removed module back, with its activities."""
    course = course_to_edit(slug)
    token = request.form.get("token", "")
    try:
        kept = _undo().loads(token, max_age=UNDO_WITHIN)
    except BadSignature:
        raise InvalidInput(_("This module can no longer be restored. Add it anew.")) from None
    module = contents.restore_module(course, kept)
    flash(_("%(title)s is back.", title=in_language(module.title)), "success")
    return redirect(_contents_url(course, module), 303)


@bp.route("/teach/courses/<slug>/modules/<int:module_id>/activities/new", methods=["GET", "POST"])
def teach_new_activity(slug: str, module_id: int) -> ResponseReturnValue:
    """Begin an activity: its kind and title."""
    course = course_to_edit(slug)
    module = get_module_of(course, module_id)
    language = working_language(course)
    form = NewActivityForm(data={"kind": "page"})
    form.kind.choices = choices((name, kind.label) for name, kind in activity_types.items())
    if not form.validate_on_submit():
        return page("new_activity", course, "contents", form=form, module=module), _status(form)
    kind = activity_types[form.kind.data]
    rule = next(iter(kind.completion_rules))
    activity = contents.add_activity(
        form.uuid, module, kind.name, language, form.title.data or "", rule
    )
    return redirect(_activity_url(course, activity, language), 303)


@bp.route("/teach/courses/<slug>/activities/<int:activity_id>/<language>", methods=["GET", "POST"])
def teach_activity(slug: str, activity_id: int, language: str) -> ResponseReturnValue:
    """An activity in one language, with what is the same in all."""
    course = course_to_edit(slug)
    language_of_course(course, language)
    activity = get_activity_of(course, activity_id)
    kind = activity_types.get(activity.kind)
    if kind is None:
        raise InvalidInput(
            _("The plugin for activities of the kind “%(kind)s” is off.", kind=activity.kind)
        )
    present = activity_edition(activity, language)
    form = ActivityForm(data=activity_values(activity, language) | {"edition": present})
    form.choose(kind, course.modules)
    more = _settings_form(activity)
    if request.method == "GET":
        return _activity_page(course, activity, language, form, more)
    is_right = form.validate() & (more is None or more.validate())
    kept = activity.settings
    if is_right and more is not None:
        try:
            own = set(more.data)
            rest = {key: value for key, value in kept.items() if key not in own}
            kept = kind.check_settings(rest | settings_values(more), in_language(activity.title))
        except PackageError as error:
            flash(str(error.text), "error")
            is_right = False
    if not is_right:
        return _activity_page(course, activity, language, form, more), 422
    if form.was_changed(present):
        tell_conflict()
        return _activity_page(course, activity, language, form, more), 409
    contents.change_activity(
        activity,
        language,
        title=form.title.data or "",
        text=form.text.data or "",
        module=get_module_of(course, int(form.module.data)),
        is_required=bool(form.is_required.data),
        completion=form.completion.data,
        minutes=form.minutes.data,
        due_day=form.due_day.data,
        settings=kept,
    )
    if "show" in request.form:
        contents.show(activity)
        flash(_("The activity is saved and shown to learners."), "success")
    else:
        flash(_("The activity is saved."), "success")
    return redirect(_activity_url(course, activity, language), 303)


def _settings_form(activity: Activity) -> Form | None:
    form_class = activity_types[activity.kind].settings_form(activity)
    if form_class is None:
        return None
    given = request.form if request.method == "POST" else None
    return form_class(given, data=activity.settings, prefix="settings-")


def _activity_page(
    course: Course, activity: Activity, language: str, form: ActivityForm, more: Form | None
) -> str:
    kind = activity_types[activity.kind]
    tabs = language_tabs(course, language, ".teach_activity", activity_id=activity.id)
    preview = None
    if activity.is_published:
        preview = url_for(".preview_activity", slug=course.slug, activity_slug=activity.slug)
    return page(
        "activity",
        course,
        "contents",
        activity=activity,
        kind=kind,
        form=form,
        more=more,
        language=language,
        source=source_language(course, language, activity.title, activity.text),
        languages=mark_missing(tabs, counts_of(course, activity.title, activity.text)),
        links=kind.authoring_links(activity),
        problems=kind.problems(activity),
        preview_url=preview,
    )


@bp.post("/teach/courses/<slug>/activities/<int:activity_id>/keep-back")
def teach_keep_back(slug: str, activity_id: int) -> ResponseReturnValue:
    """Take an activity out of what learners see; it can be put back at any time."""
    course = course_to_edit(slug)
    activity = get_activity_of(course, activity_id)
    contents.keep_back(activity)
    flash(
        _(
            "%(title)s is removed from what learners see. You find it below, to put it back.",
            title=in_language(activity.title),
        ),
        "success",
    )
    return redirect(url_for(".teach_contents", slug=course.slug, _anchor="kept-back"), 303)


@bp.post("/teach/courses/<slug>/activities/<int:activity_id>/show")
def teach_show(slug: str, activity_id: int) -> ResponseReturnValue:
    """Show an activity to learners."""
    course = course_to_edit(slug)
    activity = get_activity_of(course, activity_id)
    contents.show(activity)
    flash(_("%(title)s is shown to learners.", title=in_language(activity.title)), "success")
    return redirect(_contents_url(course, activity.module), 303)


@bp.route("/teach/courses/<slug>/activities/<int:activity_id>/delete", methods=["GET", "POST"])
def teach_delete_activity(slug: str, activity_id: int) -> ResponseReturnValue:
    """Ask, then delete an activity for good."""
    course = course_to_edit(slug)
    activity = get_activity_of(course, activity_id)
    if request.method == "GET":
        return page("delete_activity", course, "contents", activity=activity)
    title = in_language(activity.title)
    try:
        contents.delete_activity(activity)
    except StudiedActivity as refused:
        flash(str(refused.text), "error")
    else:
        flash(_("%(title)s is deleted.", title=title), "success")
    return redirect(url_for(".teach_contents", slug=course.slug), 303)


def _contents_url(course: Course, module: Module) -> str:
    return url_for(".teach_contents", slug=course.slug, _anchor=f"module-{module.id}")


def _activity_url(course: Course, activity: Activity, language: str) -> str:
    return url_for(".teach_activity", slug=course.slug, activity_id=activity.id, language=language)


def _status(form: Any) -> int:
    return 422 if form.errors else 200
