"""How the room says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput


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
