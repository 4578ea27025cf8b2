"""What the xapi room adds to the house."""

from __future__ import annotations

from flask import Blueprint

from lms.core.events import Event, Subscription
from lms.hookspecs import hookimpl
from lms.xapi.api import bp as api
from lms.xapi.services.record import record


@hookimpl
def blueprints() -> list[Blueprint]:
    """The endpoint for other tools."""
    return [api]


@hookimpl
def subscriptions() -> list[Subscription]:
    """Every event that has a mapping becomes a statement."""
    return [Subscription(Event, record)]
