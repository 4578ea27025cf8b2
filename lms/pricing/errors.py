"""How the room pricing says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput


class ExceptionOverlaps(InvalidInput):
    """A country has another exception in the same days."""

    message = lazy_gettext(
        "This country has an exception in these days already. End that one first."
    )


class AlreadyEnded(DomainError):
    """What is to be ended has ended before."""

    message = lazy_gettext("This has ended already.")
