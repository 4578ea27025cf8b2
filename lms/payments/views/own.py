"""Whose order it is."""

from __future__ import annotations

import uuid

from flask import session

from lms.accounts.permissions import present_user, require
from lms.core.errors import SignInNeeded
from lms.payments import queries
from lms.payments.models import Order
from lms.payments.permissions import GUEST_ORDERS


def own_order(order_uuid: uuid.UUID) -> Order:
    """The order, when it is the present person's, or made in this browser without an account.

    Raises SignInNeeded, NotFound or Forbidden.
    """
    if present_user() is None and order_uuid.hex not in session.get(GUEST_ORDERS, ()):
        raise SignInNeeded  # whether there is such an order or not
    order = queries.get_order(order_uuid)
    require("payments.see_order", order)
    return order
