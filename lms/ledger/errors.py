"""How the room ledger says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError


class Unbalanced(ValueError):
    """An entry's postings do not sum to zero in each currency: a fault of the program."""


class MonthNotOver(DomainError):
    """A month can be closed when it is over."""

    message = lazy_gettext("This month is not over yet. Close it when its last day has passed.")


class MonthClosed(DomainError):
    """A month is closed already, or a later one is."""

    message = lazy_gettext("This month is closed already.")


class NotExplained(DomainError):
    """A month with unexplained money stays open."""

    message = lazy_gettext(
        "The ledger does not agree with orders, payments and enrolments yet. Look at what is not"
        " explained first: the month was not closed."
    )
