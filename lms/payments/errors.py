"""How the room payments says no."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput


class NotForSale(DomainError):
    """The run costs nothing, so there is nothing to pay."""

    message = lazy_gettext("This course run is free: there is nothing to pay.")


class GatewayUnknown(InvalidInput):
    """The chosen way to pay does not exist or does not take this currency."""

    message = lazy_gettext("This way to pay is not available. Choose another one.")


class GatewayUnavailable(DomainError):
    """The payment service did not answer as it should; nothing was charged."""

    status = 503
    message = lazy_gettext(
        "The payment page could not be opened, and nothing was charged. What you buy is kept for"
        " now: try again in a moment, or choose another way to pay."
    )


class VoucherRefused(InvalidInput):
    """A voucher cannot be used on this order; the message says why."""

    message = lazy_gettext("This voucher code is not valid.")


class BasketFull(DomainError):
    """More things than one payment takes."""

    message = lazy_gettext("Your basket is full: pay what is in it first.")


class BasketRefused(DomainError):
    """Something in the basket cannot be bought now, so nothing of it was ordered."""

    message = lazy_gettext("Something in your basket cannot be bought now.")

    def __init__(self, title: Mapping[str, str], refusal: DomainError) -> None:
        self.title, self.refusal = title, refusal
        super().__init__()


class OrderClosed(DomainError):
    """The order no longer waits for a payment."""

    message = lazy_gettext("This order is closed. Look at its state before you go on.")


class NothingToRefund(DomainError):
    """All money of the order went back, or none came in."""

    message = lazy_gettext("There is nothing left to refund on this order.")


class OrganisationUnknown(InvalidInput):
    """An organisation that does not exist or may buy on invoice already."""

    message = lazy_gettext("Choose an organisation of the list.")


class NothingOwed(DomainError):
    """Nothing of the order is still to be paid."""

    message = lazy_gettext("Nothing of this order is still to be paid.")


class PlanRefused(InvalidInput):
    """Parts that do not add up to the whole, or do not follow one another."""

    message = lazy_gettext(
        "The parts must add up to 100 per cent, the first is paid at once, and each later one has"
        " a day after the one before it."
    )


class WrongTransferAmount(InvalidInput):
    """An amount received by transfer is not what the order asks for."""

    message = lazy_gettext(
        "The amount is not the total of the order, so the order was not marked as paid."
    )


class ReferenceUsed(DomainError):
    """A transfer with this reference was confirmed before."""

    message = lazy_gettext("A payment with this reference was recorded before.")


class WebhookRefused(InvalidInput):
    """A message that claims to come from a gateway is not signed by it."""

    status = 400
    message = lazy_gettext("The signature of this message is not right.")


class MovementExplained(DomainError):
    """Somebody said before what a movement was."""

    message = lazy_gettext("This movement is explained already.")


class NotForAllMovements(InvalidInput):
    """One of several movements cannot be what a person says they all are."""

    message = lazy_gettext("Not all that you chose can be this. Nothing was explained.")


class PolicyRefused(InvalidInput):
    """A refund policy would begin in the past, or on a day on which another one begins."""

    message = lazy_gettext("Choose a day from today on, on which no other policy begins.")


class NothingToLeave(DomainError):
    """The order carries no enrolment that could be left."""

    message = lazy_gettext("You do not study by this order, or you have left or completed it.")


class NotOffered(DomainError):
    """No offer is made for this: it has no price, or it is for nobody's organisation."""

    message = lazy_gettext("Offers are made to organisations, for places that cost something.")


class OfferOver(DomainError):
    """The time of an offer has passed."""

    message = lazy_gettext("This offer has ended. Ask for a new one, at the price of today.")


class OfferGone(DomainError):
    """What was offered cannot be had any more."""

    message = lazy_gettext(
        "This cannot be had any more: the places are taken, you have bought them already, or one"
        " can no longer enrol. Nothing was ordered."
    )


class OfferChanged(DomainError):
    """What comes back is another sum than the buyer was shown."""

    message = lazy_gettext(
        "What comes back has changed since this page was opened. Nothing was done: look at the new"
        " sum first."
    )


class NoOtherRun(DomainError):
    """There is no next run with a place, or the buyer has moved before."""

    message = lazy_gettext("You cannot move to another course run at the moment.")


class BankFileRefused(InvalidInput):
    """A bank's file cannot be read, or is no file of movements; the message says why."""

    message = lazy_gettext("This file cannot be read. Export the movements as CSV.")


class ImportChanged(DomainError):
    """What was confirmed is not what is there now."""

    message = lazy_gettext(
        "Somebody changed or confirmed this file meanwhile. Look at it again before you go on."
    )


class NotToBeMatched(InvalidInput):
    """A line of the bank cannot belong to this order; the message says why."""

    message = lazy_gettext("There is no order with this number.")


class AccountExists(InvalidInput):
    """A bank account has the name already."""

    message = lazy_gettext("There is an account of this name already.")


class InvitationOver(DomainError):
    """The link or code leads to no place, or to none any more."""

    status = 404
    message = lazy_gettext(
        "This link or code does not lead to a place any more. Ask who gave it to you for a new one."
    )


class NoPlaceLeft(DomainError):
    """All places of a block are taken or promised."""

    message = lazy_gettext("There are not so many free places left.")


class PlaceNotFree(DomainError):
    """The place is not in the state that the deed needs."""

    message = lazy_gettext("This place has changed meanwhile: look at the list again.")


class TooLateToReassign(DomainError):
    """The third day of the run is over."""

    message = lazy_gettext(
        "A place that is taken can be given to somebody else until the end of the third day of the"
        " course run."
    )


class CreditGone(DomainError):
    """The credit is used already, or is smaller than what was asked for."""

    message = lazy_gettext("There is not so much credit any more. Look at the new amounts.")


class CreditNeedsAccount(DomainError):
    """Nobody has claimed the account that would hold the credit."""

    message = lazy_gettext(
        "Nobody has claimed this account yet, so it cannot hold credit. Give money back."
    )
