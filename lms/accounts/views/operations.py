"""The administrators' first page, the audit log and the jobs."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone, ngettext
from flask_babel import gettext as _

from lms.accounts import queries
from lms.accounts.permissions import require, signed_in
from lms.accounts.services import administration as services
from lms.accounts.views import administration
from lms.core import clock
from lms.core.models import JobState
from lms.core.pagination import paginate
from lms.core.web import page_number


@administration.get("/")
def home() -> ResponseReturnValue:
    """Where administrators begin: what needs them now, and the way to everything."""
    require("accounts.administer")
    return render_template(
        "accounts/administration/home.html",
        jobs=queries.count_jobs(),
        late=queries.late_jobs(clock.now()),
        people=queries.count_people(clock.now()),
    )


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


@administration.get("/audit")
def audit() -> ResponseReturnValue:
    """Who did what to what, and when."""
    require("accounts.read_audit")
    zone = str(get_timezone())
    first, last = _day("first"), _day("last")
    actor = request.args.get("actor", "")
    statement = queries.list_audit(
        act=request.args.get("act", ""),
        actor_id=int(actor) if actor.isdecimal() and len(actor) < 10 else None,
        since=clock.start_of_day(first, zone) if first else None,
        until=clock.end_of_day(last, zone) if last else None,
    )
    page = paginate(statement, page_number(), 50, scalars=False)
    touched = [
        int(entry.subject_id) for entry, _actor in page.items if entry.subject_kind == "users"
    ]
    return render_template(
        "accounts/administration/audit.html",
        page=page,
        people=queries.people_by_id(touched),
        acts=queries.audited_acts(),
        actors=queries.actors(),
        first=first,
        last=last,
    )


@administration.get("/jobs")
def jobs() -> ResponseReturnValue:
    """What is done after commit, and what went wrong there."""
    require("accounts.run_jobs")
    wanted = request.args.get("state", "")
    state = JobState(wanted) if wanted in set(JobState) else JobState.FAILED
    return render_template(
        "accounts/administration/jobs.html",
        counts=queries.count_jobs(),
        late=queries.late_jobs(clock.now()),
        state=state.value,
        page=paginate(queries.list_jobs(state), page_number(), 50),
    )


@administration.post("/jobs/<int:row_id>/again")
def start_again(row_id: int) -> ResponseReturnValue:
    """Let one job start again."""
    row = queries.get_job(row_id)
    require("accounts.run_jobs", row)
    services.start_again(row, signed_in())
    flash(_("The job starts again."), "success")
    return redirect(url_for(".jobs"), 303)


@administration.post("/jobs/again")
def start_all_again() -> ResponseReturnValue:
    """Let all jobs that were given up start again."""
    require("accounts.run_jobs")
    count = services.start_all_again(signed_in())
    flash(ngettext("%(num)d job starts again.", "%(num)d jobs start again.", count), "success")
    return redirect(url_for(".jobs"), 303)
