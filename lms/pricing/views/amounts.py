"""What people pay for a run: looked at, proposed, stored."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from lms.accounts.permissions import can, require, signed_in
from lms.core import clock
from lms.core.amounts import amount_text
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import CourseRun
from lms.pricing import queries
from lms.pricing.errors import AlreadyEnded
from lms.pricing.forms import ActionForm, AmountsForm, ChoiceForm, ProposeForm
from lms.pricing.models import RunChoice, TierPrice
from lms.pricing.services import amounts as services
from lms.pricing.views import bp


def run_link(run: CourseRun, **values: Any) -> Markup | None:
    """The way from a run's settings to its prices, for those who may set them."""
    if not run.price or not can("pricing.set_amounts", run):
        return None
    return Markup(render_template("pricing/_run_link.html", run=run))  # noqa: S704 - a template's


def _run(run_uuid: uuid.UUID) -> CourseRun:
    run = queries.get_run(run_uuid)
    require("pricing.set_amounts", run)
    return run


def _page(
    run: CourseRun, propose: ProposeForm | None = None, choice: ChoiceForm | None = None
) -> tuple[str, int]:
    now = clock.now()
    row = db.session.get(RunChoice, run.id)
    form = choice or ChoiceForm(obj=row)
    propose = propose or ProposeForm(
        run, data={"currency": run.price.currency, "amount": amount_text(run.price)}
    )
    tiers = queries.tiers()
    places = {tier.name: tier.position for tier in tiers}
    html = render_template(
        "pricing/run/prices.html",
        run=run,
        course=run.course,
        tiers=tiers,
        rows=sorted(
            queries.amounts_of([run.id], now).get(run.id, []),
            key=lambda row: (row.currency, row.is_early_bird, places[row.tier], row.valid_from),
        ),
        now=now,
        propose=propose,
        choice=row,
        choice_form=form,
        action=ActionForm(),
    )
    return html, 422 if form.errors or propose.errors else 200


@bp.get("/teach/runs/<uuid:run_uuid>/prices")
def run_prices(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """All stored amounts of a run, and the form that proposes new ones."""
    return _page(_run(run_uuid))


@bp.route("/teach/runs/<uuid:run_uuid>/prices/new", methods=["GET", "POST"])
def run_new_prices(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Amounts as the percentages propose them: changed where wanted, then stored."""
    run = _run(run_uuid)
    tiers = queries.tiers()
    is_early = bool(request.args.get("early"))
    asked = ProposeForm(run, request.args)
    list_price = asked.list_price() if asked.validate() else None
    if list_price is None:
        return _page(run, asked)
    form = AmountsForm(run, tiers, list_price.currency, is_early)
    if request.method == "GET":
        form.propose(list_price, tiers)
    if form.validate_on_submit():
        try:
            services.set_amounts(
                run,
                form.amounts(),
                signed_in(),
                starts_on=form.starts_on.data,
                early_until=form.early_until.data if is_early else None,
            )
        except AlreadyEnded:
            form.early_until.errors = [_("This day is over.")]
        else:
            flash(_("The amounts are stored. They are what people pay."), "success")
            return redirect(url_for(".run_prices", run_uuid=run.uuid), 303)
    return render_template(
        "pricing/run/new_prices.html",
        run=run,
        course=run.course,
        form=form,
        tiers=tiers,
        list_price=list_price,
        is_early=is_early,
    ), 422 if form.errors else 200


@bp.post("/teach/runs/<uuid:run_uuid>/prices/<int:amount_id>/end")
def run_end_price(run_uuid: uuid.UUID, amount_id: int) -> ResponseReturnValue:
    """Let an amount hold no longer."""
    run = _run(run_uuid)
    row = db.session.get(TierPrice, amount_id)
    if row is None or row.run_id != run.id:
        raise NotFound
    services.end_amount(row, signed_in())
    flash(_("The amount holds no longer."), "success")
    return redirect(url_for(".run_prices", run_uuid=run.uuid), 303)


@bp.post("/teach/runs/<uuid:run_uuid>/prices/choice")
def run_choice(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Let people choose what they pay, or no longer."""
    run = _run(run_uuid)
    if "end" in request.form:
        services.end_choice(run, signed_in())
        flash(_("People pay the price again."), "success")
        return redirect(url_for(".run_prices", run_uuid=run.uuid), 303)
    form = ChoiceForm()
    if not form.validate_on_submit():
        return _page(run, choice=form)
    services.let_choose(
        run, form.minimum_percent.data or 0, form.suggested_percent.data or 100, signed_in()
    )
    flash(_("People now choose what they pay."), "success")
    return redirect(url_for(".run_prices", run_uuid=run.uuid), 303)
