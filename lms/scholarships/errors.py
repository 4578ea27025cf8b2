"""How the room scholarships says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput


class DoesNotFit(DomainError):
    """The learner or the run does not meet what the fund asks for."""

    message = lazy_gettext("This fund is not open to you for this course run.")


class AlreadyApplied(DomainError):
    """The learner has an application or an award for the run."""

    message = lazy_gettext("You have applied for this course run already.")


class AlreadyDecided(DomainError):
    """An application was decided on, withdrawn or used before."""

    message = lazy_gettext("This was decided on, withdrawn or used before.")


class NotOffered(InvalidInput):
    """A percentage that the fund does not give."""

    message = lazy_gettext("The fund does not give this percentage.")


class FundExhausted(DomainError):
    """The fund has less left than an award needs: a fund is never overdrawn."""

    message = lazy_gettext(
        "The fund does not have enough left for this award. Nothing was awarded."
    )


class NoPriceInCurrency(DomainError):
    """The run has no price for the learner in the fund's currency; nothing is converted."""

    message = lazy_gettext(
        "The course run has no price for this person in the fund’s currency. Store one first."
    )


class ReferenceKnown(InvalidInput):
    """Money with this reference was entered for the fund before."""

    message = lazy_gettext("Money with this reference was entered for this fund before.")


class KeyTaken(InvalidInput):
    """Another fund has this name in the ledger."""

    message = lazy_gettext("Another fund has this short name. Choose another one.")


class AwardGone(DomainError):
    """The award that lowered the price can no longer be used."""

    message = lazy_gettext("The scholarship can no longer be used. Nothing was charged.")
