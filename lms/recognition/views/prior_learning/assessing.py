"""What an assessor sees and decides."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.pagination import paginate
from lms.core.web import own_transaction, page_number
from lms.recognition import queries
from lms.recognition.errors import NotWithAssessor
from lms.recognition.forms.prior_learning import (
    DECISION_LABELS,
    DecisionsForm,
    DeclarationForm,
    decisions_form,
)
from lms.recognition.models import WITH_ASSESSOR, Assessor, AssessorRole, PriorLearningRequest
from lms.recognition.services.prior_learning import assessing as services
from lms.recognition.views import bp


@bp.get("/prior-learning/assessing")
def assessments() -> ResponseReturnValue:
    """The requests that one assesses."""
    require("recognition.assess_any")
    return render_template(
        "recognition/prior_learning/assessing.html",
        page=paginate(queries.list_requests_to_assess(signed_in()), page_number()),
    )


def _assessor(identifier: uuid.UUID) -> Assessor:
    request = queries.get_request(identifier)
    require("recognition.assess_prior_learning", request)
    found = queries.present_assessor(request, signed_in())
    if found is None:
        raise NotFound
    return found


@bp.route("/prior-learning/requests/<uuid:identifier>/declaration", methods=["GET", "POST"])
def declare_independence(identifier: uuid.UUID) -> ResponseReturnValue:
    """Say, before seeing any evidence, whether something binds one to the learner."""
    assessor = _assessor(identifier)
    if assessor.declared_at is not None:
        return redirect(url_for(".decide_prior_learning", identifier=identifier))
    form = DeclarationForm()
    if form.validate_on_submit():
        is_bound = form.is_independent.data == "no"
        services.declare(assessor, conflict=form.conflict.data or "" if is_bound else "")
        if is_bound:
            flash(_("Thank you. Somebody else will be named."), "success")
            return redirect(url_for(".my_prior_learning"), 303)
        return redirect(url_for(".decide_prior_learning", identifier=identifier), 303)
    page = render_template(
        "recognition/prior_learning/declaration.html", portfolio=assessor.request, form=form
    )
    return page, 422 if form.errors else 200


def _form(assessor: Assessor) -> DecisionsForm:
    return decisions_form(
        services.outcomes_to_decide(assessor.request),
        is_appeal=assessor.role == AssessorRole.APPEAL,
    )


def _page(request: PriorLearningRequest, form: DecisionsForm) -> ResponseReturnValue:
    page = render_template(
        "recognition/prior_learning/decision.html",
        portfolio=request,
        form=form,
        labels=DECISION_LABELS,
    )
    return page, 422 if form.errors else 200


@bp.get("/prior-learning/requests/<uuid:identifier>/decision")
def decide_prior_learning(identifier: uuid.UUID) -> ResponseReturnValue:
    """The evidence, outcome by outcome, and the decision about each."""
    assessor = _assessor(identifier)
    if assessor.declared_at is None:
        return redirect(url_for(".declare_independence", identifier=identifier))
    if assessor.request.state not in WITH_ASSESSOR:
        return redirect(url_for(".show_prior_learning", identifier=identifier))
    return _page(assessor.request, _form(assessor))


@bp.post("/prior-learning/requests/<uuid:identifier>/decision")
@own_transaction
def keep_decision(identifier: uuid.UUID) -> ResponseReturnValue:
    """Decide. Credentials from elsewhere are verified once more before, over the network."""
    assessor = _assessor(identifier)
    if assessor.request.state not in WITH_ASSESSOR or assessor.declared_at is None:
        raise NotWithAssessor
    form = _form(assessor)
    if not form.validate_on_submit():
        return _page(assessor.request, form)
    verdicts = services.verify_again(assessor.request)
    with transaction():
        services.decide(_assessor(identifier), form.decisions(), verdicts)
    flash(_("Your decision is kept, and the learner is told."), "success")
    return redirect(url_for(".show_prior_learning", identifier=identifier), 303)
