"""For those who manage the organisation of a course: what it recognises, who assesses."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import queries as accounts
from lms.accounts.permissions import require, signed_in
from lms.core import clock
from lms.core.pagination import paginate
from lms.core.text import current_language
from lms.core.web import page_number
from lms.courses.queries import courses
from lms.recognition import queries
from lms.recognition.errors import HoursTooMany, NotIndependent
from lms.recognition.forms.prior_learning import AssessorForm, offer_form
from lms.recognition.models import WITH_ASSESSOR, RequestState
from lms.recognition.services.prior_learning import assessing, fees
from lms.recognition.services.prior_learning import offers as services
from lms.recognition.views import bp
from lms.recognition.views.shared import desk_of, desk_page, needed


@bp.route("/prior-learning/courses/<slug>/offer", methods=["GET", "POST"])
def keep_offer(slug: str) -> ResponseReturnValue:
    """How the course recognises prior learning."""
    course = courses.get_course(slug)
    require("recognition.offer_prior_learning", course)
    language = current_language()
    form = offer_form(course, queries.find_offer(course), language)
    if form.validate_on_submit():
        try:
            services.keep_offer(
                course,
                signed_in(),
                is_open=form.is_open.data,
                guidance=form.guidance.data or "",
                language=language,
                decide_days=needed(form.decide_days),
                appeal_days=needed(form.appeal_days),
                keep_months=needed(form.keep_months),
                outcomes=form.terms(),
            )
        except HoursTooMany as error:
            form.places[-1][1].errors = [str(error.text)]
        else:
            flash(_("This is how the course recognises prior learning now."), "success")
            return redirect(url_for(".course_requests", slug=slug), 303)
    page = render_template("recognition/prior_learning/offer.html", course=course, form=form)
    return page, 422 if form.errors else 200


@bp.get("/prior-learning/courses/<slug>/requests")
def course_requests(slug: str) -> ResponseReturnValue:
    """The requests for a course, and who decides each."""
    course = courses.get_course(slug)
    require("recognition.offer_prior_learning", course)
    return render_template(
        "recognition/prior_learning/requests.html",
        course=course,
        offer=queries.find_offer(course),
        page=paginate(queries.list_requests_for(course), page_number()),
        with_assessor=(*WITH_ASSESSOR, RequestState.MORE_ASKED),
        today=clock.now().date(),
        has_fees=fees.can_be_paid(),
    )


@bp.get("/recognition/<slug>/prior-learning")
def shared_prior_learning(slug: str) -> ResponseReturnValue:
    """The requests that learners let an association see."""
    association = desk_of(slug)
    page = paginate(queries.list_requests_shared_with(association.id), page_number())
    return desk_page("prior_learning", association, page=page)


@bp.route("/prior-learning/requests/<uuid:identifier>/assessor", methods=["GET", "POST"])
def name_assessor(identifier: uuid.UUID) -> ResponseReturnValue:
    """Name who decides a request, or somebody else in their place."""
    request = queries.get_request(identifier)
    require("recognition.offer_prior_learning", request.course)
    form = AssessorForm()
    if form.validate_on_submit():
        person = accounts.find_user(form.email.data or "")
        if person is None or not person.is_active:
            form.email.errors = [_("Nobody has an account with this address.")]
        else:
            try:
                assessing.name_assessor(request, person, signed_in())
            except NotIndependent as error:
                form.email.errors = [str(error.text)]
            else:
                flash(_("The assessor is told by mail."), "success")
                return redirect(url_for(".course_requests", slug=request.course.slug), 303)
    page = render_template("recognition/prior_learning/assessor.html", portfolio=request, form=form)
    return page, 422 if form.errors else 200
