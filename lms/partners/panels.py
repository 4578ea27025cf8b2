"""What the room shows on pages of others."""

from __future__ import annotations

from typing import Any

from flask import render_template
from markupsafe import Markup

from lms.accounts.models import User
from lms.partners import queries
from lms.partners.services import collecting
from lms.payments.models import Order


def how_to_pay(order: Order, **values: Any) -> Markup | None:
    """Where the order's partner is paid, with its QR code."""
    if order.gateway != collecting.GATEWAY:
        return None
    collector = collecting.collector_of(order)
    if collector is None:
        return None
    page = render_template("partners/_how_to_pay.html", order=order, collector=collector)
    return Markup(page)  # noqa: S704


def profile_link(user: User, **values: Any) -> Markup | None:
    """The way to their institution's shares, for managers of partners."""
    if not queries.manages_a_partner(user):
        return None
    return Markup(render_template("partners/_profile.html"))  # noqa: S704
