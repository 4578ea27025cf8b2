"""How the room partners says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput


class AgreementExists(DomainError):
    """The course or course run has its agreement; a change is a new version of it."""

    message = lazy_gettext(
        "There is an agreement about this already. Open it and write a new version."
    )


class WrongTerms(InvalidInput):
    """Shares that cannot be: nobody, twice the same, more than all."""

    message = lazy_gettext("Name at least one partner, each once, and share no more than 100 %.")


class NotToBeSigned(DomainError):
    """Signed before, or a newer version took its place."""

    message = lazy_gettext(
        "This version cannot be accepted any more: look at the newest version of the agreement."
    )


class MonthNotOver(DomainError):
    """A statement tells a whole month."""

    message = lazy_gettext("This month is not over yet.")


class NothingToState(DomainError):
    """The month was stated, or nothing has happened."""

    message = lazy_gettext("There is nothing new to state for this month.")


class StatementAnswered(DomainError):
    """Accepted statements are not contested any more."""

    message = lazy_gettext("This statement has been accepted already.")


class CollectorExists(InvalidInput):
    """The partner collects in this currency and country already."""

    message = lazy_gettext("This partner collects in this currency and country already.")


class TooMuch(InvalidInput):
    """More than is owed."""

    message = lazy_gettext("This is more than is owed to the partner.")


class ReferenceUsed(DomainError):
    """The bank's reference was recorded before."""

    message = lazy_gettext("A payment with this reference is recorded already.")
