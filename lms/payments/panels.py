"""What payments shows on other rooms' pages."""

from __future__ import annotations

from typing import Any

from flask import render_template
from markupsafe import Markup

from lms.payments import queries
from lms.payments.services import guests


def settings_link(**values: Any) -> Markup:
    """The way from the settings of the site to those of selling."""
    return Markup(render_template("payments/admin/_settings_link.html"))  # noqa: S704


def bought_for_claim(**values: Any) -> Markup:
    """What was bought for the account that somebody is about to claim."""
    bought = [
        (order, guests.back_for(order)) for order in queries.settled_orders_of(values["waiting"])
    ]
    return Markup(render_template("payments/_claim.html", bought=bought))  # noqa: S704
