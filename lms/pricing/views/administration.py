"""Administrators: tiers and exceptions."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.db import db
from lms.pricing import queries
from lms.pricing.errors import ExceptionOverlaps
from lms.pricing.forms import ActionForm, ExceptionForm, TiersForm
from lms.pricing.services import tiers as services
from lms.pricing.views import bp


@bp.route("/admin/prices", methods=["GET", "POST"])
def admin_tiers() -> ResponseReturnValue:
    """What each tier pays, and the countries that do not go by their income group."""
    require("pricing.administer")
    found = queries.tiers()
    form = TiersForm(data={tier.name: tier.percent for tier in found})
    if form.validate_on_submit():
        services.set_percents(form.percents(), signed_in())
        flash(
            _("The tiers are saved. Amounts that are stored already stay as they are."), "success"
        )
        return redirect(url_for(".admin_tiers"), 303)
    return render_template(
        "pricing/admin/tiers.html",
        form=form,
        tiers=found,
        exceptions=db.session.scalars(queries.list_exceptions()).all(),
        today=queries.today(),
    ), 422 if form.errors else 200


@bp.route("/admin/prices/exceptions/new", methods=["GET", "POST"])
def admin_new_exception() -> ResponseReturnValue:
    """Let a country go by another tier, or by none."""
    require("pricing.administer")
    form = ExceptionForm()
    first_day = form.valid_from.data
    if form.validate_on_submit() and first_day is not None:
        try:
            services.add_exception(
                str(form.country.data),
                form.chosen_tier(),
                form.reason(),
                signed_in(),
                valid_from=first_day,
                valid_until=form.valid_until.data,
            )
        except ExceptionOverlaps as refusal:
            form.country.errors = [str(refusal.text)]
        else:
            flash(_("The exception is added, and stands on the price page."), "success")
            return redirect(url_for(".admin_tiers"), 303)
    return render_template(
        "pricing/admin/new_exception.html", form=form
    ), 422 if form.errors else 200


@bp.post("/admin/prices/exceptions/<int:exception_id>/end")
def admin_end_exception(exception_id: int) -> ResponseReturnValue:
    """Let an exception hold no longer, from today on."""
    require("pricing.administer")
    row = queries.get_exception(exception_id)
    if ActionForm().validate_on_submit():
        services.end_exception(row, queries.today() - timedelta(days=1), signed_in())
        flash(_("The exception holds no longer."), "success")
    return redirect(url_for(".admin_tiers"), 303)
