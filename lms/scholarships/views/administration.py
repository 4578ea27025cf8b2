"""Administrators: applications that wait, decisions, funds and the money paid into them."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import require, signed_in
from lms.core.db import db
from lms.core.pagination import paginate
from lms.core.text import in_language
from lms.core.web import page_number
from lms.directory.queries import list_organisations
from lms.pricing.scopes import scope_choices
from lms.scholarships import queries
from lms.scholarships.errors import (
    FundExhausted,
    KeyTaken,
    NoPriceInCurrency,
    NotOffered,
    ReferenceKnown,
)
from lms.scholarships.forms import DecisionForm, FundForm, PayInForm, TakeBackForm
from lms.scholarships.models import Application, ApplicationState, Fund
from lms.scholarships.services import applications, funds
from lms.scholarships.views import bp
from lms.scholarships.views.shared import STATES


@bp.get("/admin/scholarships")
def admin_applications() -> ResponseReturnValue:
    """Applications: those that wait, or others by state, fund and words."""
    require("scholarships.administer")
    state = request.args.get("state", ApplicationState.ASKED.value)
    chosen = {
        "q": request.args.get("q", "")[:100],
        "state": state if state in set(ApplicationState) else "",
        "fund": request.args.get("fund", ""),
    }
    known = db.session.scalars(select(Fund).order_by(Fund.key)).all()
    fund = next((one for one in known if one.key == chosen["fund"]), None)
    found = queries.list_applications(
        words=chosen["q"], state=chosen["state"], fund_id=fund.id if fund else None
    )
    return render_template(
        "scholarships/admin/applications.html",
        page=paginate(found, page_number(), 50),
        chosen=chosen,
        is_narrowed=bool(chosen["q"] or fund) or chosen["state"] != ApplicationState.ASKED,
        states=[(name.value, str(words)) for name, (words, _kind) in STATES.items()],
        funds=[(one.key, in_language(one.name)) for one in known],
    )


def _application_page(
    found: Application, form: DecisionForm, take_back: TakeBackForm
) -> tuple[str, int]:
    price = queries.price_in(found.user, found.run, found.fund.currency) if found.user else None
    page = render_template(
        "scholarships/admin/application.html",
        application=found,
        fund=found.fund,
        form=form,
        take_back=take_back,
        price=price,
    )
    return page, 422 if form.errors or take_back.errors else 200


@bp.route("/admin/scholarships/<uuid:application_uuid>", methods=["GET", "POST"])
def admin_application(application_uuid: uuid.UUID) -> ResponseReturnValue:
    """One application, and the decision on it."""
    require("scholarships.administer")
    found = queries.get_application(application_uuid)
    form = DecisionForm(found)
    if form.validate_on_submit():
        answer = (form.answer.data or "").strip()
        try:
            if form.decision.data == "award":
                last_day = form.expires_on.data
                assert last_day is not None
                applications.award(found, int(form.percent.data), last_day, answer, signed_in())
            else:
                applications.decline(found, answer, signed_in())
        except (FundExhausted, NoPriceInCurrency, NotOffered) as refusal:
            form.percent.errors = [str(refusal.text)]
        else:
            flash(_("Decided. The learner is told by mail."), "success")
            return redirect(url_for(".admin_applications"), 303)
    return _application_page(found, form, TakeBackForm(formdata=None))


@bp.post("/admin/scholarships/<uuid:application_uuid>/take-back")
def admin_take_back(application_uuid: uuid.UUID) -> ResponseReturnValue:
    """Take an award back that is not used."""
    require("scholarships.administer")
    found = queries.get_application(application_uuid)
    form = TakeBackForm()
    if not form.validate_on_submit():
        return _application_page(found, DecisionForm(found), form)
    applications.take_back(found, (form.answer.data or "").strip(), signed_in())
    flash(_("The award is taken back, and its money is free for others."), "success")
    return redirect(url_for(".admin_application", application_uuid=application_uuid), 303)


@bp.get("/admin/scholarships/funds")
def admin_funds() -> ResponseReturnValue:
    """All funds with what they hold."""
    require("scholarships.administer")
    return render_template(
        "scholarships/admin/funds.html",
        page=paginate(queries.list_funds(), page_number(), 50),
        today=queries.today(),
    )


def _fund_form() -> FundForm:
    form = FundForm()
    form.offer(db.session.scalars(list_organisations()).all(), scope_choices())
    return form


@bp.route("/admin/scholarships/funds/new", methods=["GET", "POST"])
def admin_new_fund() -> ResponseReturnValue:
    """Make a fund."""
    require("scholarships.administer")
    form = _fund_form()
    if request.method == "GET":
        form.opens_on.data = queries.today()
    if form.validate_on_submit():
        try:
            fund = funds.make_fund(
                str(form.key.data), str(form.currency.data), form.terms(), signed_in()
            )
        except KeyTaken as refusal:
            form.key.errors = [str(refusal.text)]
        else:
            flash(_("The fund is made. Enter what was paid in, so that it can award."), "success")
            return redirect(url_for(".admin_fund", key=fund.key), 303)
    return render_template(
        "scholarships/admin/edit_fund.html", form=form, fund=None
    ), 422 if form.errors else 200


@bp.route("/admin/scholarships/funds/<key>/change", methods=["GET", "POST"])
def admin_change_fund(key: str) -> ResponseReturnValue:
    """Change what a fund is for."""
    require("scholarships.administer")
    fund = queries.get_fund(key)
    form = _fund_form()
    form.keep(fund)
    if request.method == "GET":
        form.show(fund)
    if form.validate_on_submit():
        funds.change_fund(fund, form.terms(), signed_in())
        flash(_("The fund is changed. What was awarded stays as it is."), "success")
        return redirect(url_for(".admin_fund", key=key), 303)
    return render_template(
        "scholarships/admin/edit_fund.html", form=form, fund=fund
    ), 422 if form.errors else 200


@bp.route("/admin/scholarships/funds/<key>", methods=["GET", "POST"])
def admin_fund(key: str) -> ResponseReturnValue:
    """One fund: what it holds, what was paid in, and the form for more."""
    require("scholarships.administer")
    fund = queries.get_fund(key)
    form = PayInForm()
    if request.method == "GET":
        form.received_on.data = queries.today()
    if form.validate_on_submit():
        amount, day = form.money(fund.currency), form.received_on.data
        reference = (form.reference.data or "").strip()
        try:
            if amount is not None and day is not None:
                funds.pay_in(fund, amount, day, reference, signed_in())
                flash(_("The money is in the fund and in the ledger."), "success")
                return redirect(url_for(".admin_fund", key=key), 303)
        except ReferenceKnown as refusal:
            form.reference.errors = [str(refusal.text)]
    return render_template(
        "scholarships/admin/fund.html", fund=fund, form=form, today=queries.today()
    ), 422 if form.errors else 200
