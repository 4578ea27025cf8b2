"""Learners: open funds, applying, one's own applications."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import can, require, signed_in
from lms.core.limits import limiter
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.scholarships import queries
from lms.scholarships.errors import AlreadyApplied
from lms.scholarships.forms import ActionForm, ApplicationForm
from lms.scholarships.services import applications as services
from lms.scholarships.views import bp


@bp.get("/scholarships")
def my_applications() -> ResponseReturnValue:
    """One's own applications, and the funds to which one can apply."""
    require("scholarships.list")
    return render_template(
        "scholarships/mine.html",
        page=paginate(queries.list_applications_of(signed_in()), page_number(), 25),
        funds=queries.open_funds(queries.today()),
    )


@bp.route("/scholarships/apply/<uuid:run_uuid>", methods=["GET", "POST"])
@limiter.limit("20 per hour", methods=["POST"])
def apply(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Ask a fund for a part of the price of a run."""
    run = queries.get_run(run_uuid)
    require("scholarships.apply", run)
    user = signed_in()
    known = queries.find_waiting(user, run)
    if known is not None:
        flash(str(AlreadyApplied.message), "info")
        return redirect(url_for(".application", application_uuid=known.uuid), 303)
    found = [(fund, queries.percents_for(user, run, fund)) for fund in queries.funds_for(user, run)]
    offered = {fund.key: percents for fund, percents in found if percents}
    funds = [fund for fund, percents in found if percents]
    form = ApplicationForm(funds, offered)
    if funds and form.validate_on_submit():
        fund = next(one for one in funds if one.key == form.fund.data)
        made = services.apply(
            run, user, fund, int(form.percent.data), (form.statement.data or "").strip()
        )
        flash(_("Your application is sent. We decide on it and write to you."), "success")
        return redirect(url_for(".application", application_uuid=made.uuid), 303)
    return render_template(
        "scholarships/apply.html", run=run, course=run.course, form=form, funds=funds
    ), 422 if form.errors else 200


@bp.get("/scholarships/<uuid:application_uuid>")
def application(application_uuid: uuid.UUID) -> ResponseReturnValue:
    """One application: where it stands, and what to do next."""
    found = queries.get_application(application_uuid)
    require("scholarships.see", found)
    return render_template(
        "scholarships/application.html",
        application=found,
        course=found.run.course,
        can_apply=can("scholarships.apply", found.run),
    )


@bp.post("/scholarships/<uuid:application_uuid>/withdraw")
def withdraw(application_uuid: uuid.UUID) -> ResponseReturnValue:
    """Give an application or an unused award up."""
    found = queries.get_application(application_uuid)
    require("scholarships.see", found)
    if ActionForm().validate_on_submit():
        services.withdraw(found)
        flash(_("Your application is withdrawn."), "success")
    return redirect(url_for(".application", application_uuid=application_uuid), 303)
