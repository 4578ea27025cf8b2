"""Who was given a place: by a link or a code, with or without an account."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import present_user, require, signed_in
from lms.core.limits import limiter
from lms.core.text import in_language
from lms.core.web import public
from lms.courses.errors import AlreadyEnrolled
from lms.courses.models import Enrolment
from lms.payments import queries
from lms.payments.errors import InvitationOver, NoPlaceLeft
from lms.payments.queries import seats as reads
from lms.payments.seat_forms import CodeForm, TakeForm
from lms.payments.seat_models import SeatBlock, SeatState
from lms.payments.services import seats as services
from lms.payments.views import bp

_TRIES = "30 per minute; 300 per hour"


def _page(block: SeatBlock, here: str, **values: Any) -> str:
    """What is given, by whom, what they will see; and the ways on."""
    user = present_user()
    enrolment = queries.find_enrolment(block.run_id, user.id) if user else None
    return render_template(
        "payments/take_seat.html",
        block=block,
        run=block.run,
        course=block.run.course,
        giver=services.giver_of(block),
        here=here,
        enrolment=enrolment if enrolment and enrolment.may_study else None,
        form=TakeForm(),
        **values,
    )


def _welcome(enrolment: Enrolment) -> ResponseReturnValue:
    title = in_language(enrolment.run.course.title)
    flash(_("Welcome. You are enrolled in %(title)s.", title=title), "success")
    return redirect(url_for("courses.study_home", run_id=enrolment.run_id), 303)


@bp.get("/places/invitation/<token>")
@public
@limiter.limit(_TRIES)
def seat_invitation(token: str) -> ResponseReturnValue:
    """The place that one was invited to."""
    seat = services.find_invited(token)
    if seat.state == SeatState.TAKEN:
        user = present_user()
        if user is None or seat.enrolment is None or seat.enrolment.user_id != user.id:
            raise InvitationOver
        return redirect(url_for("courses.study_home", run_id=seat.enrolment.run_id))
    return _page(seat.block, url_for(".seat_invitation", token=token))


@bp.post("/places/invitation/<token>")
@limiter.limit(_TRIES)
def take_invited_seat(token: str) -> ResponseReturnValue:
    """Sit down on it."""
    require("payments.take_seat")
    seat, form = services.find_invited(token), TakeForm()
    form.validate_on_submit()
    try:
        return _welcome(
            services.take(seat, signed_in(), shares_result=bool(form.shares_result.data))
        )
    except AlreadyEnrolled:
        return redirect(url_for(".seat_invitation", token=token), 303)


@bp.route("/places/code", methods=["GET", "POST"])
@public
@limiter.limit(_TRIES)
def seat_code() -> ResponseReturnValue:
    """Ask for a code."""
    form = CodeForm()
    if form.validate_on_submit():
        code = services.fold_code(form.code.data or "")
        try:
            services.find_by_code(code)
        except InvitationOver as refusal:
            form.code.errors = [str(refusal.text)]
        else:
            return redirect(url_for(".seat_by_code", code=code), 303)
    return render_template("payments/seat_code.html", form=form), 422 if form.errors else 200


@bp.get("/places/code/<code>")
@public
@limiter.limit(_TRIES)
def seat_by_code(code: str) -> ResponseReturnValue:
    """The place that a code opens."""
    block = services.find_by_code(code)
    is_used_up = not reads.standing(block).free
    here = url_for(".seat_by_code", code=code)
    return _page(block, here, is_used_up=is_used_up)


@bp.post("/places/code/<code>")
@limiter.limit(_TRIES)
def take_seat_by_code(code: str) -> ResponseReturnValue:
    """Sit down on the first free place."""
    require("payments.take_seat")
    block, form = services.find_by_code(code), TakeForm()
    form.validate_on_submit()
    try:
        return _welcome(
            services.take_by_code(block, signed_in(), shares_result=bool(form.shares_result.data))
        )
    except (AlreadyEnrolled, NoPlaceLeft):
        return redirect(url_for(".seat_by_code", code=code), 303)


@bp.post("/places/mine/<uuid:seat_uuid>/sharing")
def share_result(seat_uuid: uuid.UUID) -> ResponseReturnValue:
    """Let who paid see whether one completes the course, or no more."""
    seat = reads.get_own_seat(seat_uuid)
    require("payments.share_result", seat)
    shares = "share" in request.form
    services.share_result(seat, shares)
    if shares:
        flash(_("Who paid can see whether you complete the course."), "success")
    else:
        flash(_("Who paid cannot see whether you complete the course any more."), "success")
    return redirect(url_for("courses.my_courses"), 303)
