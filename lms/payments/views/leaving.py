"""A buyer leaves a paid run, moves to the next one, or keeps the place on new dates."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.core.errors import InvalidInput
from lms.core.money import Money
from lms.core.templating import format_days, format_money
from lms.courses.models import CourseRun
from lms.payments import queries
from lms.payments.errors import NoOtherRun, NothingToLeave
from lms.payments.forms import LeaveForm
from lms.payments.services import leaving
from lms.payments.services.grants import find_grant
from lms.payments.services.refund_policy import (
    Back,
    Policy,
    Why,
    as_policy,
    dates_of,
    first_day_of_nothing,
    present_row,
)
from lms.payments.views import bp
from lms.payments.views.orders import leave_values
from lms.payments.views.own import own_order


def policy_terms(policy: Policy, run: CourseRun, currency: str) -> dict[str, Any]:
    """A policy as it meets the dates of a run and a currency: for the pages that tell it."""
    cap = policy.fee_caps.get(currency)
    return {
        "policy": policy,
        "starts_on": run.starts_on,
        "nothing_from": first_day_of_nothing(policy, dates_of(run)),
        "cap": Money(cap, currency) if cap is not None else None,
    }


@bp.app_template_global("refund_terms")
def refund_terms(run: CourseRun, currency: str) -> dict[str, Any]:
    """When money comes back to who buys a place today."""
    return policy_terms(as_policy(present_row()), run, currency)


@bp.app_template_filter("back_reason")
def back_reason(back: Back) -> str:
    """Why so much comes back, in a sentence."""
    match back.why:
        case Why.CANCELLED:
            return str(_("The course run does not take place: the whole price comes back."))
        case Why.MOVED:
            return str(_("The course run was moved: the whole price comes back."))
        case Why.BEFORE_START:
            return str(_("The course has not begun: the whole price comes back."))
        case Why.PART:
            return str(
                _(
                    "%(over)s of %(weeks)s weeks are over. For the others you paid %(untaught)s; of"
                    " that we keep %(fee)s.",
                    over=back.weeks_over,
                    weeks=back.weeks,
                    untaught=format_money(back.untaught),
                    fee=format_money(back.fee),
                )
            )
    return str(
        _(
            "%(over)s of %(weeks)s weeks are over: no money comes back any more.",
            over=back.weeks_over,
            weeks=back.weeks,
        )
    )


@bp.get("/orders/<uuid:order_uuid>/leave")
def ask_leave(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Show what comes back and what else can be done, before anything is done."""
    order = own_order(order_uuid)
    values = leave_values(order)
    if not values:
        raise NothingToLeave
    form = LeaveForm(shown=values["back"].amount.minor)
    return render_template(
        "payments/leave.html",
        order=order,
        form=form,
        other=leaving.next_run(order) if leaving.may_transfer(order) else None,
        grant=find_grant(order),
        rule=policy_terms(leaving.policy_of(order), order.place, order.currency),
        **values,
    )


@bp.post("/orders/<uuid:order_uuid>/leave")
def leave(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Leave the run, with the sum that was shown."""
    order = own_order(order_uuid)
    form = LeaveForm()
    if not form.validate_on_submit() or form.shown.data is None:
        raise InvalidInput
    as_credit = bool(form.as_credit.data)
    back = leaving.leave_run(order, Money(form.shown.data, order.currency), as_credit=as_credit)
    if as_credit:
        amount = format_money(back.as_credit)
        flash(_("You have left the course. %(amount)s is your credit now.", amount=amount), "info")
    elif back.amount:
        amount = format_money(back.amount)
        flash(
            _("You have left the course. %(amount)s is on its way to you.", amount=amount), "info"
        )
    else:
        flash(_("You have left the course."), "info")
    return redirect(url_for(".show_order", order_uuid=order_uuid), 303)


@bp.post("/orders/<uuid:order_uuid>/transfer/<uuid:run_uuid>")
def transfer(order_uuid: uuid.UUID, run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Move to the next run of the course."""
    order, run = own_order(order_uuid), queries.get_run(run_uuid)
    if run.course_id != order.place.course_id:
        raise NoOtherRun
    leaving.transfer(order, run)
    days = format_days(run.starts_on, run.ends_on)
    flash(_("Your place is in the run of %(days)s now.", days=days), "success")
    return redirect(url_for(".show_order", order_uuid=order_uuid), 303)


@bp.post("/orders/<uuid:order_uuid>/keep-dates")
def keep_dates(order_uuid: uuid.UUID) -> ResponseReturnValue:
    """Keep the place on the new dates."""
    leaving.agree_to_dates(own_order(order_uuid))
    flash(_("Your place is kept on the new dates."), "success")
    return redirect(url_for(".show_order", order_uuid=order_uuid), 303)
