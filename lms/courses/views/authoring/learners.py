"""The people of a run, for its instructors."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from lms.accounts.permissions import require, signed_in
from lms.core import clock
from lms.core.db import db
from lms.core.markdown import render_markdown
from lms.core.pagination import Page, paginate
from lms.core.text import harmless
from lms.core.web import page_number, read_only_post
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, MessageSent, RunFull
from lms.courses.forms.authoring import AddLearnerForm, MessageForm, add_error
from lms.courses.models import Course, CourseRun, EnrolmentState, PublicationState
from lms.courses.queries import teaching
from lms.courses.queries.enrolments import seats_by_run
from lms.courses.queries.study import outline_of
from lms.courses.queries.teaching import SORTS, get_enrolment_of, get_run_of
from lms.courses.services import learners as services
from lms.courses.services.learners import Recipients
from lms.courses.services.staff import find_person
from lms.courses.views import bp
from lms.courses.views.authoring.common import course_only, course_to_edit, page

PAGE_SIZE = 50


@bp.get("/teach/courses/<slug>/learners")
def teach_learners(slug: str) -> ResponseReturnValue:
    """Go to the learners of the run that is on, or list the runs."""
    course = course_to_edit(slug)
    now = clock.now()
    current = [
        run
        for run in course.runs
        if run.state == PublicationState.PUBLISHED and run.starts_at <= now <= run.ends_at
    ]
    if len(current) == 1 and "all" not in request.args:
        return redirect(url_for(".teach_run_learners", slug=slug, run_id=current[0].id))
    runs = sorted(course.runs, key=lambda run: run.starts_on, reverse=True)
    return page(
        "learner_runs", course, "learners", runs=runs, seats=seats_by_run([r.id for r in runs])
    )


def _run(slug: str, run_id: int) -> tuple[Course, CourseRun]:
    course = course_only(slug)
    return course, get_run_of(course, run_id)


def _filters() -> dict[str, Any]:
    sort = request.args.get("sort", "name")
    group = request.args.get("group", "")
    return {
        "query": request.args.get("q", "")[:200],
        "group": group if group in ("waiting", "left") else "",
        "sort": sort if sort in SORTS else "name",
        "down": request.args.get("order") == "down",
    }


@bp.get("/teach/courses/<slug>/runs/<int:run_id>/learners")
def teach_run_learners(slug: str, run_id: int) -> ResponseReturnValue:
    """Who studies in the run, how far they are, who waits."""
    course, run = _run(slug, run_id)
    return _learners_page(course, run, AddLearnerForm(formdata=None))


def _learners_page(course: Course, run: CourseRun, form: AddLearnerForm) -> str:
    chosen = _filters()
    found: Page[Any] = paginate(
        teaching.list_learners(run, **chosen), page_number(), PAGE_SIZE, scalars=False
    )

    def address(**changes: Any) -> str:
        values: dict[str, Any] = {
            "q": chosen["query"] or None,
            "group": chosen["group"] or None,
            "sort": chosen["sort"] if chosen["sort"] != "name" else None,
            "order": "down" if chosen["down"] else None,
        }
        return url_for(".teach_run_learners", slug=course.slug, run_id=run.id, **(values | changes))

    def sort_url(column: str) -> str:
        is_same = chosen["sort"] == column
        return address(sort=column, order="down" if is_same and not chosen["down"] else None)

    return page(
        "learners",
        course,
        "learners",
        run=run,
        rows=found,
        chosen=chosen,
        total=teaching.count_required(course),
        counts=teaching.count_groups(run),
        form=form,
        address=address,
        sort_url=sort_url,
        page_url=lambda number: address(page=number),
    )


@bp.post("/teach/courses/<slug>/runs/<int:run_id>/learners")
def teach_add_learner(slug: str, run_id: int) -> ResponseReturnValue:
    """Give a person a place without payment."""
    course, run = _run(slug, run_id)
    form = AddLearnerForm()
    if not form.validate_on_submit():
        return _learners_page(course, run, form), 422
    person = find_person(form.email.data or "")
    if person is None:
        add_error(
            form.email,
            _("Nobody has an account with this address. Ask the person to register first."),
        )
        return _learners_page(course, run, form), 422
    try:
        services.enrol_person(run, person, signed_in().id)
    except (AlreadyEnrolled, RunFull, EnrolmentClosed) as refused:
        add_error(form.email, _refusal(refused))
        return _learners_page(course, run, form), 409
    flash(_("%(name)s has a place in this run.", name=person.name), "success")
    return redirect(url_for(".teach_run_learners", slug=slug, run_id=run.id), 303)


def _refusal(refused: AlreadyEnrolled | RunFull | EnrolmentClosed) -> str:
    if isinstance(refused, AlreadyEnrolled):
        return str(_("This person has a place already."))
    if isinstance(refused, RunFull):
        return str(_("All places are taken. Give the run more places first."))
    return str(_("This run was cancelled."))


@bp.get("/teach/courses/<slug>/runs/<int:run_id>/learners/<int:enrolment_id>")
def teach_learner(slug: str, run_id: int, enrolment_id: int) -> ResponseReturnValue:
    """One learner: what is done, when, with which score."""
    course, run = _run(slug, run_id)
    enrolment = get_enrolment_of(run, enrolment_id)
    return page(
        "learner",
        course,
        "learners",
        run=run,
        enrolment=enrolment,
        outline=outline_of(enrolment),
        ended=(EnrolmentState.WITHDRAWN, EnrolmentState.REFUNDED, EnrolmentState.EXPIRED),
    )


@bp.route(
    "/teach/courses/<slug>/runs/<int:run_id>/learners/<int:enrolment_id>/remove",
    methods=["GET", "POST"],
)
def teach_remove_learner(slug: str, run_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Ask, then end a person's enrolment."""
    course, run = _run(slug, run_id)
    enrolment = get_enrolment_of(run, enrolment_id)
    if request.method == "GET":
        return page("remove_learner", course, "learners", run=run, enrolment=enrolment)
    services.remove_learner(enrolment, signed_in().id)
    flash(_("%(name)s is no longer in this run.", name=enrolment.user.name), "success")
    return redirect(url_for(".teach_run_learners", slug=slug, run_id=run.id), 303)


@bp.route("/teach/courses/<slug>/runs/<int:run_id>/message", methods=["GET", "POST"])
def teach_message(slug: str, run_id: int) -> ResponseReturnValue:
    """Write to all learners of a run, or to those who need it."""
    course, run = _run(slug, run_id)
    form = MessageForm()
    deed = request.form.get("do", "")
    is_right = form.validate_on_submit()
    if not is_right or deed != "send":
        preview = render_markdown(form.body.data) if is_right else None
        status = 422 if form.errors else 200
        return _message_page(course, run, form, preview), status
    try:
        count = services.write_to_learners(
            run,
            Recipients(form.group.data),
            form.title.data or "",
            form.body.data or "",
            signed_in(),
            form.key.data or "",
        )
    except MessageSent as refused:
        flash(str(refused.text), "info")
        return redirect(url_for(".teach_message", slug=slug, run_id=run.id), 303)
    if count:
        flash(
            ngettext(
                "The message is on its way to %(num)s person.",
                "The message is on its way to %(num)s people.",
                count,
            ),
            "success",
        )
    else:
        flash(_("Nobody belongs to this group now, so nothing was sent."), "info")
    return redirect(url_for(".teach_message", slug=slug, run_id=run.id), 303)


def _message_page(course: Course, run: CourseRun, form: MessageForm, preview: Any) -> str:
    return page(
        "message",
        course,
        "learners",
        run=run,
        form=form,
        preview=preview,
        numbers={str(group): len(services.recipients(run, group)) for group in Recipients},
        sent=services.list_messages(run),
    )


@bp.post("/teach/courses/<slug>/runs/<int:run_id>/message/preview")
@read_only_post
def teach_message_preview(slug: str, run_id: int) -> ResponseReturnValue:
    """A message as learners will read it."""
    _run(slug, run_id)
    return str(render_markdown(request.form.get("text", "")[:20000]))


@bp.get("/teach/courses/<slug>/runs/<int:run_id>/learners.csv")
def teach_learners_csv(slug: str, run_id: int) -> ResponseReturnValue:
    """The list as a table for a spreadsheet."""
    course, run = _run(slug, run_id)
    require("courses.edit", course)
    total = teaching.count_required(course)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            _("Name"),
            _("E-mail"),
            _("State"),
            pgettext("date", "Enrolled"),
            pgettext("number of activities", "Done"),
            _("Of"),
            _("Grade"),
            _("Last seen"),
            pgettext("date", "Completed"),
        ]
    )
    for enrolment, done in db.session.execute(teaching.list_learners(run, **_filters())):
        writer.writerow(
            [
                harmless(enrolment.user.name),
                harmless(enrolment.user.email),
                enrolment.state,
                _iso(enrolment.enrolled_at),
                done,
                total,
                "" if enrolment.grade is None else f"{enrolment.grade:.4f}",
                _iso(enrolment.last_seen_at),
                _iso(enrolment.completed_at),
            ]
        )
    name = f"{course.slug}-{run.slug}.csv"
    return Response(
        "\ufeff" + out.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _iso(instant: Any) -> str:
    return instant.isoformat(timespec="seconds") if instant else ""
