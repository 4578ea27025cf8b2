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


class MessageSent(DomainError):
    """The same message was sent from the same form before."""

    message = lazy_gettext("This message was sent already.")


class PaymentNeeded(DomainError):
    """This run costs money and the chosen way in does not pay."""

    status = 402
    message = lazy_gettext("This course run has a price. Choose how to pay.")


class SessionTaken(InvalidInput):
    """The id of a session before a film belongs to something else."""


class PlaybackUnreadable(InvalidInput):
    """What a player told is not in the form that is expected."""


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


class NotReady(DomainError):
    """Something that learners need is still missing; the text names it."""

    message = lazy_gettext("Something that learners need is still missing.")


class PriceInUse(DomainError):
    """People have paid another price; a change must be confirmed."""

    message = lazy_gettext(
        "People have enrolled at the present price. Confirm that the price shall change for those"
        " who come after them."
    )


class CapacityTooSmall(InvalidInput):
    """Fewer places than are taken."""

    message = lazy_gettext("More places are taken than that.")


class RunHasLearners(DomainError):
    """A run in which people have places cannot be hidden; it can be cancelled."""

    message = lazy_gettext(
        "People have places in this run, so it cannot be hidden. You can cancel it: they are told,"
        " and what they paid is refunded."
    )


class LastInstructor(DomainError):
    """A course needs somebody who teaches it."""

    message = lazy_gettext("A course needs at least one instructor. Add another one first.")


class ModuleNotEmpty(DomainError):
    """A module with activities is removed only after they have moved."""

    message = lazy_gettext("Choose the module that takes over the activities of this one.")


class StudiedActivity(DomainError):
    """Learners have worked on the activity, so it cannot be deleted for good."""

    message = lazy_gettext(
        "Learners have worked on this activity, so it stays in the records. It is no longer shown"
        " to learners."
    )
