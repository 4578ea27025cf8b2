"""What payments shows on other rooms' pages."""

from __future__ import annotations

from typing import Any

from flask import render_template
from markupsafe import Markup

from lms.accounts.models import User
from lms.courses.models import Course, CourseRun
from lms.payments import queries
from lms.payments.seat_models import Seat
from lms.payments.services import guests
from lms.payments.services.seats import giver_of, seats_taken_by


def settings_link(**values: Any) -> Markup:
    """The way from the settings of the site to those of selling."""
    return Markup(render_template("payments/admin/_settings_link.html"))  # noqa: S704


def bought_for_claim(**values: Any) -> Markup:
    """What was bought for the account that somebody is about to claim."""
    bought = [
        (order, guests.back_for(order)) for order in queries.settled_orders_of(values["waiting"])
    ]
    return Markup(render_template("payments/_claim.html", bought=bought))  # noqa: S704


def seats_link(course: Course, runs: list[CourseRun], **values: Any) -> Markup | None:
    """The way to buy places for others, when the course is sold at all."""
    sold = next((run for run in runs if run.price), None)
    if sold is None:
        return None
    return Markup(render_template("payments/_seats_link.html", run=sold))  # noqa: S704


def my_seats(user: User, **values: Any) -> Markup | None:
    """The places that others paid for, and what these see."""
    found = seats_taken_by(user)
    if not found:
        return None
    rows: list[tuple[Seat, dict[str, str]]] = [(seat, giver_of(seat.block)) for seat in found]
    return Markup(render_template("payments/_my_seats.html", rows=rows))  # noqa: S704
