"""Work by the clock: counting entries into sums, and the nightly check."""

from __future__ import annotations

from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.outbox import Job
from lms.ledger.services import check, counting
from lms.notifications.services import tell


def count() -> None:
    """Add what was posted to the sums, all of it."""
    while counting.count_entries() == counting.AT_ONCE:
        pass


def check_ledger() -> None:
    """Compare the ledger with the house, and tell administrators when something new differs."""
    before = check.last_check()
    found = check.check_now()
    known = before.unexplained if before else []
    if not any(one not in known for one in found.unexplained):
        return
    administrators = db.session.scalars(
        select(User).where(User.is_administrator, User.closed_at.is_(None))
    ).all()
    for administrator in administrators:
        tell(administrator, "ledger.unexplained", count=len(found.unexplained))


JOBS = [
    Job("ledger.count", count, every="* * * * *"),
    Job("ledger.check", check_ledger, every="40 3 * * *"),
]
