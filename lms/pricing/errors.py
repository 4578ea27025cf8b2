"""How the room pricing says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput
from lms.core.money import Money


class ExceptionOverlaps(InvalidInput):
    """A country has another exception in the same days."""

    message = lazy_gettext(
        "This country has an exception in these days already. End that one first."
    )


class AlreadyEnded(DomainError):
    """What is to be ended has ended before."""

    message = lazy_gettext("This has ended already.")


class QuoteChanged(DomainError):
    """The price is not what was shown: the buyer looks at it before anything is charged."""

    message = lazy_gettext(
        "The price is not the one you were shown any more, and nothing was charged. Look at the"
        " price below before you go on."
    )


class QuoteExpired(QuoteChanged):
    """The price was shown too long ago."""

    message = lazy_gettext(
        "A price holds for a day, and the one you were shown is older. Nothing was charged: look at"
        " the price below before you go on."
    )


class QuoteUsed(QuoteChanged):
    """An order was placed from it before, and that order is closed."""

    message = lazy_gettext(
        "An order was placed at the price you were shown before, and it is closed. Nothing was"
        " charged: look at the price below before you go on."
    )


class PaymentRefused(DomainError):
    """Money cannot be taken from the buyer's country; the policy page says why."""

    message = lazy_gettext("We cannot take a payment from your country, so nothing was charged.")


class PriceOnRequest(DomainError):
    """No amount is stored for this buyer: nothing is guessed."""

    message = lazy_gettext("The price for your country is on request. Ask us for it.")


class AmountTooLow(InvalidInput):
    """Who chooses what to pay chose less than the least; the message says how much."""

    message = lazy_gettext("This is less than the least that this course takes.")

    def __init__(self, minimum: Money) -> None:
        super().__init__()
        self.minimum = minimum


class ProofWaits(DomainError):
    """The person has shown something, and it is not decided on yet."""

    message = lazy_gettext("What you showed us before is not decided on yet. We write to you.")


class AlreadyDecided(DomainError):
    """A proof was decided on before."""

    message = lazy_gettext("This was decided on before.")
