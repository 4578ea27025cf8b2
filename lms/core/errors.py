"""How Puente says no: errors that become a page with a status and a helpful sentence."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString


class DomainError(Exception):
    """A rule refused what was asked. `message` is shown to the person; `status` is HTTP's."""

    status: ClassVar[int] = 409
    message: ClassVar[str | LazyString] = lazy_gettext("This is not possible at the moment.")

    def __init__(self, message: str | LazyString | None = None) -> None:
        self.text = message if message is not None else self.message
        super().__init__(str(type(self).__name__))


class NotFound(DomainError):
    """What was asked for does not exist, or not for this person."""

    status = 404
    message = lazy_gettext("We cannot find what you are looking for.")


class Forbidden(DomainError):
    """The person is known but may not do this."""

    status = 403
    message = lazy_gettext("Your account does not allow this.")


class SignInNeeded(Forbidden):
    """The visitor may perhaps do this after signing in."""

    status = 401


class InvalidInput(DomainError):
    """What was sent has the wrong shape and no form to show it in."""

    status = 422
    message = lazy_gettext("Something in what you sent is not right.")


class ChangedMeanwhile(DomainError):
    """Somebody else changed the same thing in between."""

    status = 409
    message = lazy_gettext(
        "Somebody changed this at the same time. Look at the new state and try again."
    )


class SentTwice(DomainError):
    """The same form is being worked on at this moment."""

    status = 409
    message = lazy_gettext(
        "This form was sent twice, and the first one is still being worked on. Wait a moment, then"
        " look whether it is done."
    )
