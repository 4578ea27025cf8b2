"""How the room says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, Forbidden, InvalidInput


class WrongCredentials(DomainError):
    """Address and password do not belong together."""

    status = 422
    message = lazy_gettext(
        "Address and password do not belong together. Check both, or choose a new password."
    )


class NotConfirmed(DomainError):
    """The password is right, but the address was never confirmed."""

    status = 403
    message = lazy_gettext("Confirm your address first: open the link in the mail we sent you.")


class Deactivated(DomainError):
    """The password is right, but an administrator switched the account off."""

    status = 403
    message = lazy_gettext("This account was switched off. Please write to us.")


class LinkExpired(DomainError):
    """A link from a mail was used before, is too old or not complete."""

    status = 410
    message = lazy_gettext("This link was used before, is too old or is not complete.")


class AddressTaken(DomainError):
    """Another account has this address."""

    message = lazy_gettext("There is an account with this address already.")


class WeakPassword(InvalidInput):
    """The password is too easy to guess."""


class LastAdministrator(DomainError):
    """Puente must keep one administrator."""

    message = lazy_gettext(
        "This is the only administrator. Make somebody else administrator first."
    )


class NotYourself(DomainError):
    """Administrators do this to others, not to themselves."""

    message = lazy_gettext("You cannot do this to your own account.")


class AlreadyConfirmed(DomainError):
    """The address is confirmed already."""

    message = lazy_gettext("This address is confirmed already.")


class TooManyDrafts(DomainError):
    """The person keeps as many drafts as are allowed."""

    message = lazy_gettext("You keep too many drafts. Send or discard one first.")


class DraftTooLarge(InvalidInput):
    """The draft is larger than allowed."""

    status = 413
    message = lazy_gettext("This draft is too large to be kept on the server.")


class WrongCode(DomainError):
    """A code of the second factor is wrong, too old or was used before."""

    status = 422
    message = lazy_gettext(
        "This code is not right. Type the six digits that your app shows now, or a recovery code"
        " that you have not used yet."
    )


class TooManyCodes(DomainError):
    """Too many wrong codes for one account."""

    status = 429
    message = lazy_gettext("Too many wrong codes. Wait ten minutes, then try again.")


class SecondFactorMissing(Forbidden):
    """What is asked for needs a second factor, and the person has none yet."""

    message = lazy_gettext("Set up a second factor first. It takes two minutes.")


class SecondFactorNeeded(Forbidden):
    """What is asked for needs a fresh proof of the second factor."""

    message = lazy_gettext("Confirm with a code of your app to go on.")
