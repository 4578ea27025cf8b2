"""One's own requests: open, hand in, withdraw, share, appeal; what came of them."""

from __future__ import annotations

import uuid

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.courses.queries import courses
from lms.directory import queries as directory
from lms.recognition import queries
from lms.recognition.errors import CannotAppeal
from lms.recognition.forms.prior_learning import DECISION_LABELS, AppealForm, ShareForm
from lms.recognition.models import (
    WITH_ASSESSOR,
    EvidenceKind,
    PriorLearningRequest,
    RequestState,
)
from lms.recognition.services.prior_learning import fees
from lms.recognition.services.prior_learning import portfolio as services
from lms.recognition.views import bp


@bp.get("/my/prior-learning")
def my_prior_learning() -> ResponseReturnValue:
    """The requests that one has made."""
    require("recognition.my_hours", signed_in())
    page = paginate(queries.list_requests_of(signed_in()), page_number())
    return render_template(
        "recognition/prior_learning/mine.html",
        page=page,
        assesses=queries.assesses(signed_in()),
    )


@bp.get("/prior-learning/courses/<slug>")
def ask_prior_learning(slug: str) -> ResponseReturnValue:
    """What a course recognises, and how to ask for it."""
    course = courses.get_course_for_page(slug)
    require("recognition.ask_prior_learning", course)
    offer = queries.find_offer(course)
    if offer is None or not offer.is_open:
        raise NotFound
    return render_template(
        "recognition/prior_learning/ask.html",
        course=course,
        offer=offer,
        hours={place: one.hours for place, one in services.terms_of(offer, course).items()},
        mine=queries.find_open_request(course, signed_in()),
        fee=fees.prices_of(queries.find_fee(course, fees.today()), signed_in().country),
        fee_rule=fees.rule_in_words(),
    )


@bp.post("/prior-learning/courses/<slug>")
def open_prior_learning(slug: str) -> ResponseReturnValue:
    """Begin a request; go on with the one that is begun."""
    course = courses.get_course(slug)
    require("recognition.ask_prior_learning", course)
    request = services.open_request(course, signed_in())
    return redirect(url_for(".show_prior_learning", identifier=request.uuid), 303)


def own_request(identifier: uuid.UUID) -> PriorLearningRequest:
    """One's own request."""
    request = queries.get_request(identifier)
    require("recognition.own_prior_learning", request)
    return request


@bp.get("/prior-learning/requests/<uuid:identifier>")
def show_prior_learning(identifier: uuid.UUID) -> ResponseReturnValue:
    """A request with its evidence, decisions and history."""
    request = queries.get_request(identifier)
    require("recognition.see_prior_learning", request)
    user = signed_in()
    associations = [one.organisation for one in directory.memberships_of(user.id)]
    present = request.association.slug if request.association else ""
    return render_template(
        "recognition/prior_learning/request.html",
        portfolio=request,
        is_own=request.user_id == user.id,
        may_decide=request.state in WITH_ASSESSOR
        and queries.present_assessor(request, user) is not None,
        labels=DECISION_LABELS,
        kinds=list(EvidenceKind),
        share_form=ShareForm(associations, formdata=None, association=present),
        associations=associations,
        award=queries.find_award(request),
        today=clock.now().date(),
        fee=fees.prices_of(request.fee, request.user.country) if fees.is_due(request) else {},
        fee_rule=fees.rule_in_words(),
        fee_comes_back=fees.comes_back(request),
    )


@bp.post("/prior-learning/requests/<uuid:identifier>/hand-in")
def hand_in_prior_learning(identifier: uuid.UUID) -> ResponseReturnValue:
    """Give the portfolio to the organisation of the course."""
    request = own_request(identifier)
    services.hand_in(request, signed_in())
    if request.state == RequestState.FEE_DUE:
        return redirect(url_for("payments.buy", product=fees.PRODUCT, item=identifier), 303)
    flash(_("Your request is handed in. A mail tells you what is decided."), "success")
    return redirect(url_for(".show_prior_learning", identifier=identifier), 303)


@bp.post("/prior-learning/requests/<uuid:identifier>/withdraw")
def withdraw_prior_learning(identifier: uuid.UUID) -> ResponseReturnValue:
    """End a request that is not decided."""
    request = own_request(identifier)
    was_paid = request.fee_paid_at is not None and fees.comes_back(request)
    services.withdraw(request, signed_in())
    text = _("The request is withdrawn, and the fee goes back to you.")
    flash(text if was_paid else _("The request is withdrawn."), "success")
    return redirect(url_for(".my_prior_learning"), 303)


@bp.post("/prior-learning/requests/<uuid:identifier>/share")
def share_prior_learning(identifier: uuid.UUID) -> ResponseReturnValue:
    """Let an association look, or nobody any more."""
    request = own_request(identifier)
    associations = {
        one.organisation.slug: one.organisation for one in directory.memberships_of(request.user_id)
    }
    form = ShareForm(list(associations.values()))
    if form.validate_on_submit():
        services.share(request, signed_in(), associations.get(form.association.data))
        flash(_("Kept: who may look at this request."), "success")
    else:
        flash(_("Choose one of your associations, or nobody."), "error")
    return redirect(url_for(".show_prior_learning", identifier=identifier), 303)


@bp.route("/prior-learning/requests/<uuid:identifier>/appeal", methods=["GET", "POST"])
def appeal_prior_learning(identifier: uuid.UUID) -> ResponseReturnValue:
    """Ask another assessor to look at what was not granted."""
    request = own_request(identifier)
    today = clock.now().date()
    if not request.may_appeal(today):
        raise CannotAppeal
    form = AppealForm()
    if form.validate_on_submit():
        services.appeal(request, signed_in(), form.reason.data or "", today)
        flash(_("Your appeal goes to another assessor. A mail tells you the outcome."), "success")
        return redirect(url_for(".show_prior_learning", identifier=identifier), 303)
    page = render_template("recognition/prior_learning/appeal.html", portfolio=request, form=form)
    return page, 422 if form.errors else 200


@bp.get("/prior-learning/requests/<uuid:identifier>/credential.<ending>")
def prior_learning_credential(identifier: uuid.UUID, ending: str) -> ResponseReturnValue:
    """The signed credential of what was granted, as JSON or as a token."""
    request = own_request(identifier)
    award = queries.find_award(request)
    if award is None or ending not in ("json", "jwt"):
        raise NotFound
    is_token = ending == "jwt"
    answer = Response(
        award.token if is_token else award.document,
        content_type="text/plain" if is_token else "application/vc+ld+json",
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="prior-learning.{ending}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
