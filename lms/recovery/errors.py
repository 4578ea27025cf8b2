"""How the room recovery says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError


class AlreadyDecided(DomainError):
    """Somebody else decided before."""

    message = lazy_gettext(
        "This course run was decided on already. Set a new decision date to decide again."
    )


class DatesPassed(DomainError):
    """A run is moved to a later day."""

    message = lazy_gettext("The new first day must come after today and after the present one.")


class AlreadyBegun(DomainError):
    """A run that has begun is neither moved nor taken back here."""

    message = lazy_gettext(
        "This course run has begun: it can be confirmed, but not moved or cancelled here."
    )


class AlreadyAnswered(DomainError):
    """A learner asked for the money back before."""

    message = lazy_gettext("You asked for your money back already.")
