"""Opening the page of a payment service: the same steps for an order, a basket and a part."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect
from werkzeug.wrappers import Response

from lms.core.db import db, transaction
from lms.core.errors import DomainError
from lms.payments.errors import GatewayUnavailable
from lms.payments.gateways.base import Payable, PaymentGateway, Started


def lead_to_page(
    gateway: PaymentGateway,
    payable: Payable,
    keep: Callable[[Started, int], object],
    back: Response,
    gone: type[DomainError],
) -> Response:
    """Have the service open a page for it, keep the page, and lead the buyer there.

    The service is called between two transactions, so that nobody waits for it. keep: notes the
    page of this attempt, and raises `gone` when it cannot be paid any more. back: the answer then,
    and when the service does not open one.
    """
    attempt = payable.attempt
    try:
        started = gateway.start(payable)
    except GatewayUnavailable as refusal:
        db.session.rollback()
        flash(str(refusal.text), "error")
        return back
    db.session.rollback()
    try:
        with transaction():
            keep(started, attempt)
    except gone:
        return back
    return redirect(started.address, 303)
