"""Administrators: tiers and exceptions, contracts, proofs of residence, questions for a price."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.files import send_stored
from lms.core.pagination import paginate
from lms.core.site_settings import read, write
from lms.core.web import page_number
from lms.directory.models import Organisation
from lms.directory.queries import list_organisations
from lms.pricing import queries
from lms.pricing.errors import ExceptionOverlaps
from lms.pricing.forms import ActionForm, ContractForm, DecisionForm, ExceptionForm, TiersForm
from lms.pricing.models import ResidenceState
from lms.pricing.scopes import chosen_scope, scope_choices
from lms.pricing.services import contracts, residence
from lms.pricing.services import tiers as services
from lms.pricing.services.quotes import PricingRules
from lms.pricing.views import bp


@bp.route("/admin/prices", methods=["GET", "POST"])
def admin_tiers() -> ResponseReturnValue:
    """What each tier pays, and the countries that do not go by their income group."""
    require("pricing.administer")
    found = queries.tiers()
    rules = read(PricingRules)
    percents = {tier.name: tier.percent for tier in found}
    form = TiersForm(data=percents | {"floor_percent": rules.floor_percent})
    if form.validate_on_submit():
        services.set_percents(form.percents(), signed_in())
        write(PricingRules(floor_percent=form.floor_percent.data or 0), signed_in().id)
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


@bp.get("/admin/prices/contracts")
def admin_contracts() -> ResponseReturnValue:
    """What organisations have agreed for their people."""
    require("pricing.administer")
    return render_template(
        "pricing/admin/contracts.html",
        page=paginate(queries.list_contracts(), page_number(), 50),
        today=queries.today(),
    )


@bp.route("/admin/prices/contracts/new", methods=["GET", "POST"])
def admin_new_contract() -> ResponseReturnValue:
    """Let the people of an organisation pay less."""
    require("pricing.administer")
    form = ContractForm()
    form.offer(db.session.scalars(list_organisations()).all(), scope_choices())
    first_day = form.valid_from.data
    if form.validate_on_submit() and first_day is not None:
        organisation = db.session.get_one(Organisation, int(form.organisation.data))
        contracts.make_contract(
            organisation, form.terms(first_day, **chosen_scope(form.scope.data)), signed_in()
        )
        flash(_("The contract is added."), "success")
        return redirect(url_for(".admin_contracts"), 303)
    return render_template(
        "pricing/admin/new_contract.html", form=form
    ), 422 if form.errors else 200


@bp.post("/admin/prices/contracts/<int:contract_id>/end")
def admin_end_contract(contract_id: int) -> ResponseReturnValue:
    """Let a contract hold no longer, from today on."""
    require("pricing.administer")
    row = queries.get_contract(contract_id)
    contracts.end_contract(row, queries.today() - timedelta(days=1), signed_in())
    flash(_("The contract holds no longer."), "success")
    return redirect(url_for(".admin_contracts"), 303)


@bp.get("/admin/prices/residence")
def admin_proofs() -> ResponseReturnValue:
    """Who showed where they live; those that wait come first."""
    require("pricing.administer")
    page = paginate(queries.list_proofs(), page_number(), 50)
    return render_template("pricing/admin/proofs.html", page=page)


@bp.route("/admin/prices/residence/<int:proof_id>", methods=["GET", "POST"])
def admin_proof(proof_id: int) -> ResponseReturnValue:
    """One proof, and the decision on it."""
    require("pricing.administer")
    proof = queries.get_proof(proof_id)
    form = DecisionForm()
    if form.validate_on_submit():
        is_accepted = form.decision.data == "accept"
        answer = (form.answer.data or "").strip()
        residence.decide_on_proof(proof, is_accepted, answer, signed_in())
        flash(_("The person is told, and the document is deleted."), "success")
        return redirect(url_for(".admin_proofs"), 303)
    return render_template(
        "pricing/admin/proof.html",
        proof=proof,
        form=form,
        facts=queries.facts_of(proof.user),
        waits=proof.state == ResidenceState.ASKED,
    ), 422 if form.errors else 200


@bp.get("/admin/prices/residence/<int:proof_id>/document")
def admin_proof_document(proof_id: int) -> ResponseReturnValue:
    """The document of a proof that waits for its decision."""
    require("pricing.administer")
    document = queries.get_proof(proof_id).document
    if document is None:
        raise NotFound
    return send_stored(document, download=True)


@bp.get("/admin/prices/requests")
def admin_requests() -> ResponseReturnValue:
    """Runs in which a tier has no amount, and who asked for a price."""
    require("pricing.administer")
    return render_template(
        "pricing/admin/requests.html",
        gaps=queries.runs_with_gaps(clock.now()),
        page=paginate(queries.list_requests(), page_number(), 50),
    )
