"""Work by the clock: expired places, reminders; and telling people of a cancelled run."""

from __future__ import annotations

from lms.core.outbox import Job, enqueue
from lms.core.rollups import recount_all
from lms.courses.notices import tell_of_cancellation
from lms.courses.services import sums
from lms.courses.services.enrolment import release_expired_seats
from lms.courses.services.held_seats import release_expired_holds
from lms.courses.services.reminders import BATCH, send_reminders


def _send_reminders() -> None:
    """Send one batch; what is left follows at once in a transaction of its own."""
    if send_reminders() >= BATCH:
        enqueue("courses.send_more_reminders")


def count_enrolments() -> None:
    """Bring the sums of who enrolled up to date."""
    recount_all(sums.count_enrolments)


JOBS = [
    Job("courses.count_enrolments", count_enrolments, writes=False, every="*/5 * * * *"),
    Job("courses.release_expired_seats", release_expired_seats, every="* * * * *"),
    Job("courses.release_expired_holds", release_expired_holds, every="* * * * *"),
    Job("courses.send_reminders", _send_reminders, every="*/15 * * * *"),
    Job("courses.send_more_reminders", _send_reminders),
    Job("courses.tell_of_cancellation", tell_of_cancellation),
]
