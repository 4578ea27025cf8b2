"""The fee of prior learning: set it, see who has not paid, waive it for somebody."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.errors import NotFound
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.courses.models import Course
from lms.courses.queries import courses
from lms.pricing.forms import TIER_LABELS
from lms.recognition import queries
from lms.recognition.errors import NoFeeDue
from lms.recognition.forms.fees import WaiverForm, fee_form
from lms.recognition.models import RequestState
from lms.recognition.services.prior_learning import fees as services
from lms.recognition.services.prior_learning import portfolio
from lms.recognition.views import bp
from lms.recognition.views.shared import needed


def _course(slug: str) -> Course:
    course = courses.get_course(slug)
    require("recognition.set_prior_learning_fee", course)
    if not services.can_be_paid():
        raise NotFound
    return course


@bp.route("/prior-learning/courses/<slug>/fee", methods=["GET", "POST"])
def prior_learning_fee(slug: str) -> ResponseReturnValue:
    """What the fee is, was and will be; who has not paid it yet."""
    course = _course(slug)
    today = services.today()
    form = fee_form(queries.find_fee(course, today), today)
    if form.validate_on_submit():
        services.set_fee(course, signed_in(), form.amounts(), needed(form.starts_on))
        flash(_("The fee is kept. Requests that are open keep theirs."), "success")
        return redirect(url_for(".prior_learning_fee", slug=slug), 303)
    page = render_template(
        "recognition/prior_learning/fee.html",
        course=course,
        form=form,
        fees=queries.fees_of(course),
        present=queries.find_fee(course, today),
        today=today,
        tiers=TIER_LABELS,
        page=paginate(queries.list_unpaid(course), page_number()),
    )
    return page, 422 if form.errors else 200


@bp.post("/prior-learning/courses/<slug>/fee/<int:fee_id>/remove")
def remove_prior_learning_fee(slug: str, fee_id: int) -> ResponseReturnValue:
    """Take back a fee that has not begun."""
    course = _course(slug)
    services.remove_fee(queries.get_fee(course, fee_id), signed_in())
    flash(_("The fee is removed."), "success")
    return redirect(url_for(".prior_learning_fee", slug=slug), 303)


@bp.route("/prior-learning/requests/<uuid:identifier>/waive-fee", methods=["GET", "POST"])
def waive_prior_learning_fee(identifier: uuid.UUID) -> ResponseReturnValue:
    """Ask a learner for no fee, with a reason."""
    found = queries.get_request(identifier)
    require("recognition.waive_prior_learning_fee", found)
    if request.method == "GET" and found.state != RequestState.FEE_DUE:
        raise NoFeeDue
    form = WaiverForm()
    if form.validate_on_submit():
        portfolio.waive_fee(found, signed_in(), form.reason.data or "")
        flash(_("The fee is waived."), "success")
        return redirect(url_for(".prior_learning_fee", slug=found.course.slug), 303)
    page = render_template("recognition/prior_learning/waive_fee.html", portfolio=found, form=form)
    return page, 422 if form.errors else 200
