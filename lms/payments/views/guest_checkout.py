"""The checkout of somebody without an account: name, address, and pay; the account comes later."""

from __future__ import annotations

import uuid

from flask import Response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.accounts.permissions import present_user, require
from lms.core.db import transaction
from lms.core.limits import limiter
from lms.core.text import current_language
from lms.core.web import own_transaction, public
from lms.courses.errors import AlreadyEnrolled
from lms.courses.models import CourseRun
from lms.payments import queries
from lms.payments.errors import VoucherRefused
from lms.payments.forms import GuestCheckoutForm
from lms.payments.permissions import GUEST_ORDERS
from lms.payments.services import guests
from lms.payments.views import bp
from lms.payments.views.checkout import REFUSALS, check_out, checkout_page, open_payment_page

WAITING = "guest"  # where the session keeps the account that waits
KEPT = 5


def _leads_on(response: Response) -> bool:
    return response.status_code == 303


def _mailbox() -> str:
    return f"guest:{request.form.get('email', '').strip().casefold()}"


def _form() -> GuestCheckoutForm:
    form = GuestCheckoutForm()
    form.offer_countries()
    return form


def _find_run(run_uuid: uuid.UUID) -> CourseRun:
    run = queries.get_run(run_uuid)
    require("payments.buy", run)
    return run


@bp.get("/checkout/<uuid:run_uuid>/guest")
@public
def guest_checkout(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Show what is bought and for how much; ask for name, address, country and way to pay."""
    run = _find_run(run_uuid)
    if present_user() is not None or not run.price:
        return redirect(url_for(".checkout", run_uuid=run_uuid))
    return checkout_page(run, _form())


@bp.post("/checkout/<uuid:run_uuid>/guest")
@public
@own_transaction
@limiter.limit("30 per minute")
@limiter.limit("30 per hour", deduct_when=_leads_on)
@limiter.limit("5 per hour", key_func=_mailbox, deduct_when=_leads_on)
def place_guest_order(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Hold a seat and open the payment page; or only show the price for what was typed."""
    with transaction(write=False):
        run = _find_run(run_uuid)
        if present_user() is not None:
            return redirect(url_for(".checkout", run_uuid=run_uuid), 303)
        form = _form()
        is_valid = form.validate_on_submit()
        is_valid = is_valid and ("apply" in request.form or not form.needs_province())
        if "apply" in request.form:  # who only looks at the price need not say who they are
            form.name.errors = form.email.errors = ()
            return checkout_page(run, form, 422 if any(f.errors for f in form) else 200)
        if not is_valid or check_out(run, form).shown is None:
            return checkout_page(run, form, 200 if is_valid else 422)
    guest = guests.Guest(
        form.name.data or "",
        form.email.data or "",
        url_for("courses.study_home", run_id=run.id),
    )
    try:
        with transaction():
            run = _find_run(run_uuid)
            order = guests.place_guest_order(
                run,
                guest,
                guests.find_waiting(session.get(WAITING, ""), guest.email),
                form.gateway.data,
                check_out(run, form).wishes(),
                form.quote.data or "",
                language=current_language(),
                billing=form.billing(),
            )
            order_uuid, waiting = order.uuid, order.user.uuid
    except VoucherRefused as refusal:
        form.voucher.errors = [str(refusal.text)]
        with transaction(write=False):
            return checkout_page(_find_run(run_uuid), form, 422)
    except (AlreadyEnrolled, *REFUSALS) as refusal:
        with transaction(write=False):
            text = str(refusal.text)
            return checkout_page(_find_run(run_uuid), form, refusal.status, text)
    made = [key for key in session.get(GUEST_ORDERS, ()) if key != order_uuid.hex]
    session[GUEST_ORDERS] = [*made, order_uuid.hex][-KEPT:]
    session[WAITING] = waiting.hex
    return open_payment_page(order_uuid)
