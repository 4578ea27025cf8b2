"""Showing where one lives, and asking for a price."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.files import UploadRefused
from lms.core.limits import limiter
from lms.core.places import is_country
from lms.pricing import queries
from lms.pricing.errors import ProofWaits
from lms.pricing.forms import ResidenceForm
from lms.pricing.services import residence as services
from lms.pricing.views import bp


@bp.route("/prices/residence", methods=["GET", "POST"])
@limiter.limit("20 per hour", methods=["POST"])
def residence() -> ResponseReturnValue:
    """What is known of where one lives, and the form to show more."""
    require("pricing.show_residence")
    user = signed_in()
    form = ResidenceForm()
    if request.method == "GET":
        wanted = request.args.get("country", "")
        form.country.data = wanted if is_country(wanted) else user.country or ""
    if form.validate_on_submit():
        upload = form.document.data if form.document.data and form.document.data.filename else None
        try:
            services.show_residence(
                user,
                str(form.country.data),
                (form.note.data or "").strip(),
                (upload.read(), upload.filename) if upload else None,
            )
        except UploadRefused as refusal:
            form.document.errors = [str(refusal.text)]
        except ProofWaits as refusal:
            flash(str(refusal.text), "info")
            return redirect(url_for(".residence"), 303)
        else:
            flash(_("Thank you. We look at it and write to you."), "success")
            return redirect(url_for(".residence"), 303)
    return render_template(
        "pricing/residence.html",
        form=form,
        facts=queries.facts_of(user),
        waits=queries.find_open_proof(user),
    ), 422 if form.errors else 200


@bp.post("/prices/ask/<uuid:run_uuid>")
@limiter.limit("20 per hour")
def ask_price(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Ask for a price that is not stored."""
    require("pricing.show_residence")
    run = queries.get_run(run_uuid)
    services.ask_price(run, signed_in())
    flash(_("We have your question and answer by mail."), "success")
    return redirect(url_for("courses.course_page", slug=run.course.slug, _anchor="runs"), 303)
