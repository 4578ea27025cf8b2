"""Into and out of a course run: enrol, wait, leave."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core import clock
from lms.core.text import in_language
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, RunFull
from lms.courses.models import CourseRun, Enrolment, EnrolmentState, PublicationState
from lms.courses.queries import courses, enrolments
from lms.courses.queries.catalogue import RunState, run_state
from lms.courses.queries.enrolments import Seats
from lms.courses.services import enrolment as services
from lms.courses.views import bp, shared


def _page(template: str, run: CourseRun, status: int = 200, error: str = "") -> ResponseReturnValue:
    user = signed_in()
    seats = enrolments.seats_by_run([run.id]).get(run.id, Seats())
    is_open = run.course.is_published and run.state == PublicationState.PUBLISHED
    state = run_state(run, seats, clock.now()) if is_open else RunState.CLOSED
    closed_text = str(EnrolmentClosed.message)
    return (
        render_template(
            template,
            run=run,
            course=run.course,
            enrolment=enrolments.find_enrolment(run, user),
            state=state,
            state_text=shared.state_text(run, state) if is_open else closed_text,
            waiting=seats.waiting,
            error=error if is_open or error != closed_text else "",  # once is enough
        ),
        status,
    )


def _course_url(run: CourseRun) -> str:
    return url_for("courses.course_page", slug=run.course.slug, _anchor="runs")


@bp.get("/runs/<int:run_id>/enrol")
def enrol(run_id: int) -> ResponseReturnValue:
    """Ask whether the person wants to enrol in a free run."""
    run = courses.get_run(run_id)
    require("courses.enrol", run)
    if run.price:
        return redirect(_course_url(run))
    enrolment = enrolments.find_enrolment(run, signed_in())
    if enrolment is not None and enrolment.has_place:
        return redirect(url_for(".study_home", run_id=run.id))
    return _page("courses/enrol.html", run)


@bp.post("/runs/<int:run_id>/enrol")
def confirm_enrolment(run_id: int) -> ResponseReturnValue:
    """Enrol in a free run."""
    run = courses.get_run(run_id)
    require("courses.enrol", run)
    if run.price:
        return redirect(_course_url(run), 303)
    try:
        services.enrol_free(run, signed_in())
    except AlreadyEnrolled as refusal:
        flash(str(refusal.text), "info")
    except (RunFull, EnrolmentClosed) as refusal:
        return _page("courses/enrol.html", run, refusal.status, str(refusal.text))
    else:
        title = in_language(run.course.title)
        flash(_("Welcome. You are enrolled in %(title)s.", title=title), "success")
    if run.starts_at > clock.now():
        return redirect(url_for(".my_courses"), 303)
    return redirect(url_for(".study_home", run_id=run.id), 303)


@bp.get("/runs/<int:run_id>/waiting-list")
def waiting_list(run_id: int) -> ResponseReturnValue:
    """Ask whether the person wants to wait for a place."""
    run = courses.get_run(run_id)
    require("courses.enrol", run)
    return _page("courses/waiting_list.html", run)


@bp.post("/runs/<int:run_id>/waiting-list")
def join_waiting_list(run_id: int) -> ResponseReturnValue:
    """Put the person on the waiting list."""
    run = courses.get_run(run_id)
    require("courses.enrol", run)
    try:
        services.join_waiting_list(run, signed_in())
    except AlreadyEnrolled as refusal:
        flash(str(refusal.text), "info")
        return redirect(_course_url(run), 303)
    except EnrolmentClosed as refusal:
        return _page("courses/waiting_list.html", run, refusal.status, str(refusal.text))
    services.offer_free_seats(services.lock_run(run))
    flash(_("You are on the waiting list. We write to you as soon as a place is free."), "success")
    return redirect(url_for(".my_courses"), 303)


def _own_enrolment(run_id: int) -> Enrolment:
    run = courses.get_run(run_id)
    enrolment = enrolments.get_enrolment(run, signed_in())
    require("courses.leave", enrolment)
    return enrolment


@bp.get("/runs/<int:run_id>/leave")
def leave(run_id: int) -> ResponseReturnValue:
    """Say what leaving means, and ask."""
    enrolment = _own_enrolment(run_id)
    return render_template(
        "courses/leave.html", enrolment=enrolment, run=enrolment.run, course=enrolment.run.course
    )


@bp.post("/runs/<int:run_id>/leave")
def confirm_leaving(run_id: int) -> ResponseReturnValue:
    """Leave the run, its waiting list, or decline an offered place."""
    run = courses.get_run(run_id)
    enrolment = enrolments.get_enrolment(run, signed_in())
    if enrolment.state == EnrolmentState.WITHDRAWN:
        require("courses.my_courses")
        return redirect(url_for(".my_courses"), 303)
    require("courses.leave", enrolment)
    services.end_enrolment(enrolment, EnrolmentState.WITHDRAWN)
    flash(_("You have left %(title)s.", title=in_language(run.course.title)), "success")
    return redirect(url_for(".my_courses"), 303)
