"""Course runs: planned, changed, published, cancelled, copied."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import can, signed_in
from lms.core import clock
from lms.core.text import in_language
from lms.courses.errors import (
    CapacityTooSmall,
    NotReady,
    PriceInUse,
    RunHasLearners,
    WrongRunLength,
)
from lms.courses.forms.authoring import add_error
from lms.courses.forms.authoring_runs import (
    ConfirmForm,
    CopyForm,
    RunForm,
    new_run_values,
    run_edition,
    run_values,
)
from lms.courses.models import Activity, Course, CourseRun, Module
from lms.courses.queries.enrolments import seats_by_run
from lms.courses.queries.teaching import get_run_of
from lms.courses.services import runs as services
from lms.courses.services.runs import ShiftedDate
from lms.courses.views import bp
from lms.courses.views.authoring.common import course_only, course_to_edit, page, tell_conflict


@bp.get("/teach/courses/<slug>/runs")
def teach_runs(slug: str) -> ResponseReturnValue:
    """All runs of the course, the newest first."""
    course = course_only(slug)
    runs = sorted(course.runs, key=lambda run: run.starts_on, reverse=True)
    return page("runs", course, "runs", runs=runs, seats=seats_by_run([run.id for run in runs]))


def _allowed_by(form: RunForm | CopyForm) -> int | None:
    """The administrator who allows another length by ticking the box."""
    if form.allow_length.data and can("courses.allow_run_length"):
        return signed_in().id
    return None


@bp.route("/teach/courses/<slug>/runs/new", methods=["GET", "POST"])
def teach_new_run(slug: str) -> ResponseReturnValue:
    """Plan a run."""
    course = course_only(slug)
    form = RunForm(data=new_run_values(course, signed_in().time_zone))
    form.choose(course)
    if not form.validate_on_submit():
        return _run_page(course, None, form), _status(form)
    try:
        run = services.create_run(form.uuid, course, form.plan(), allowed_by=_allowed_by(form))
    except WrongRunLength as refused:
        add_error(form.ends_on, str(refused.text))
        return _run_page(course, None, form), 422
    flash(_("The run is planned. Publish it when people shall be able to enrol."), "success")
    _warn_about_past(run)
    return redirect(_run_url(run), 303)


@bp.route("/teach/courses/<slug>/runs/<int:run_id>", methods=["GET", "POST"])
def teach_run(slug: str, run_id: int) -> ResponseReturnValue:
    """One run: its dates, places and price, and what can be done with it."""
    course = course_only(slug)
    run = get_run_of(course, run_id)
    present = run_edition(run)
    values = run_values(run) | {
        "edition": present,
        "allow_length": run.length_allowed_by_id is not None,
    }
    form = RunForm(data=values)
    form.choose(course)
    if not form.validate_on_submit():
        return _run_page(course, run, form), _status(form)
    if form.was_changed(present):
        tell_conflict()
        return _run_page(course, run, form), 409
    try:
        services.change_run(
            run,
            form.plan(),
            signed_in().id,
            allowed_by=_allowed_by(form),
            price_confirmed=bool(form.confirm_price.data),
        )
    except WrongRunLength as refused:
        add_error(form.ends_on, str(refused.text))
        return _run_page(course, run, form), 422
    except CapacityTooSmall as refused:
        add_error(form.capacity, str(refused.text))
        return _run_page(course, run, form), 422
    except PriceInUse as refused:
        add_error(form.amount, str(refused.text))
        return _run_page(course, run, form, ask_price=True), 409
    flash(_("The run is saved."), "success")
    _warn_about_past(run)
    return redirect(_run_url(run), 303)


def _warn_about_past(run: CourseRun) -> None:
    today = clock.local_date(clock.now(), run.time_zone)
    if run.ends_on < today:
        flash(_("This run is over by its dates."), "warning")
    elif run.starts_on < today:
        flash(_("This run has begun by its dates."), "warning")


def _run_page(
    course: Course, run: CourseRun | None, form: RunForm, *, ask_price: bool = False
) -> str:
    return page(
        "run",
        course,
        "runs",
        run=run,
        form=form,
        ask_price=ask_price,
        may_allow=can("courses.allow_run_length"),
        may_publish=can("courses.publish", course),
        seats=seats_by_run([run.id]).get(run.id) if run else None,
    )


@bp.post("/teach/courses/<slug>/runs/<int:run_id>/publish")
def teach_publish_run(slug: str, run_id: int) -> ResponseReturnValue:
    """Show the run and let people enrol."""
    course = course_only(slug, "courses.publish")
    run = get_run_of(course, run_id)
    try:
        services.publish_run(run, signed_in().id)
    except (NotReady, WrongRunLength) as refused:
        flash(str(refused.text), "error")
    else:
        flash(_("The run is published."), "success")
        _warn_about_past(run)
    return redirect(_run_url(run), 303)


@bp.post("/teach/courses/<slug>/runs/<int:run_id>/unpublish")
def teach_unpublish_run(slug: str, run_id: int) -> ResponseReturnValue:
    """Hide a run in which nobody has a place."""
    course = course_only(slug, "courses.publish")
    run = get_run_of(course, run_id)
    try:
        services.unpublish_run(run, signed_in().id)
    except RunHasLearners as refused:
        flash(str(refused.text), "error")
    else:
        flash(_("The run is hidden."), "success")
    return redirect(_run_url(run), 303)


@bp.route("/teach/courses/<slug>/runs/<int:run_id>/cancel", methods=["GET", "POST"])
def teach_cancel_run(slug: str, run_id: int) -> ResponseReturnValue:
    """Ask, then cancel a run."""
    course = course_only(slug, "courses.publish")
    run = get_run_of(course, run_id)
    form = ConfirmForm()
    if not form.validate_on_submit():
        seats = seats_by_run([run.id]).get(run.id)
        return page("cancel_run", course, "runs", run=run, form=form, seats=seats), _status(form)
    services.cancel_run(run, signed_in().id)
    flash(_("The run is cancelled."), "success")
    return redirect(_run_url(run), 303)


@bp.route("/teach/courses/<slug>/runs/<int:run_id>/copy", methods=["GET", "POST"])
def teach_copy_run(slug: str, run_id: int) -> ResponseReturnValue:
    """Copy a run to another first day: look over all dates, then make it."""
    course = course_to_edit(slug)
    run = get_run_of(course, run_id)
    form = CopyForm(
        data={
            "starts_on": new_run_values(course, run.time_zone)["starts_on"],
            "allow_length": run.length_allowed_by_id is not None,
        }
    )
    if not form.validate_on_submit():
        return _copy_page(course, run, form), _status(form)
    assert form.starts_on.data is not None
    plan = services.shifted(run, form.starts_on.data)
    if request.form.get("do") != "copy":
        return _copy_page(course, run, form, services.review_copy(run, plan))
    try:
        copy = services.copy_run(form.uuid, run, plan, allowed_by=_allowed_by(form))
    except WrongRunLength as refused:
        add_error(form.starts_on, str(refused.text))
        return _copy_page(course, run, form, services.review_copy(run, plan)), 422
    flash(_("The copy is planned. Look it over, then publish it."), "success")
    return redirect(_run_url(copy), 303)


def _copy_page(
    course: Course, run: CourseRun, form: CopyForm, dates: list[ShiftedDate] | None = None
) -> str:
    return page(
        "copy_run",
        course,
        "runs",
        run=run,
        form=form,
        dates=[(_label(shifted), shifted) for shifted in dates or []],
        may_allow=can("courses.allow_run_length"),
    )


def _label(shifted: ShiftedDate) -> str:
    subject: Module | Activity | None = shifted.subject
    title = in_language(subject.title) if subject is not None else ""
    texts = {
        "starts": _("The run begins"),
        "ends": _("The run ends"),
        "enrolment_opens": _("Enrolment opens"),
        "enrolment_closes": _("Enrolment closes"),
        "module": _("%(title)s opens", title=title),
        "due": _("%(title)s is due", title=title),
    }
    return str(texts[shifted.kind])


def _run_url(run: CourseRun) -> str:
    return url_for(".teach_run", slug=run.course.slug, run_id=run.id)


def _status(form: Any) -> int:
    return 422 if form.errors else 200
