"""What the xapi room adds to the house."""

from __future__ import annotations

from lms.core.events import Event, Subscription
from lms.hookspecs import hookimpl
from lms.xapi.services.record import record


@hookimpl
def subscriptions() -> list[Subscription]:
    """Every event that has a mapping becomes a statement."""
    return [Subscription(Event, record)]
