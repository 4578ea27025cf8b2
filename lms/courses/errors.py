"""How the courses say no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, Forbidden, InvalidInput


class RunFull(DomainError):
    """No seat is free; the waiting list is open."""

    message = lazy_gettext(
        "All places in this course run are taken. You can join the waiting list."
    )


class EnrolmentClosed(DomainError):
    """The enrolment window is not open."""

    message = lazy_gettext("Enrolment in this course run is not open.")


class AlreadyEnrolled(DomainError):
    """The person has a seat in this run."""

    message = lazy_gettext("You are already enrolled in this course run.")


class PaymentNeeded(DomainError):
    """This run costs money and the chosen way in does not pay."""

    status = 402
    message = lazy_gettext("This course run has a price. Choose how to pay.")


class NotReleased(Forbidden):
    """The module has not opened yet."""

    message = lazy_gettext("This part of the course has not opened yet.")


class WrongRunLength(InvalidInput):
    """A run of fewer than 14 or more than 28 days without an administrator's allowance."""

    message = lazy_gettext(
        "A course run lasts 14 to 28 days. A shorter or longer one needs an administrator's"
        " explicit allowance."
    )


class PackageError(InvalidInput):
    """A course package cannot be read; `where` names the file and place."""

    def __init__(self, where: str, message: str) -> None:
        self.where = where
        super().__init__(f"{where}: {message}")
        self.args = (f"{where}: {message}",)
