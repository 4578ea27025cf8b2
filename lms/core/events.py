"""Facts that happened. A handler runs now, in the same transaction; its error undoes all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app

from lms.core.registry import EXTENSION


@dataclass(frozen=True)
class Event:
    """Base of all domain events: frozen dataclasses named in the past tense."""


@dataclass(frozen=True)
class Subscription:
    """`handler` is called with each emitted event of the class `event`, or of a subclass."""

    event: type[Event]
    handler: Callable[[Any], object]

    @property
    def name(self) -> str:
        """Unique name: event and handler."""
        where = f"{self.handler.__module__}.{self.handler.__qualname__}"
        return f"{self.event.__module__}.{self.event.__name__} -> {where}"


def emit(event: Event) -> None:
    """Tell the house what happened: the last line of a service."""
    handlers: dict[type[Event], list[Callable[[Any], object]]]
    handlers = current_app.extensions[EXTENSION].handlers
    for kind in type(event).__mro__:
        for handler in handlers.get(kind, ()):
            handler(event)
