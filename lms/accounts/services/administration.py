"""What administrators do with accounts; each act is noted in the audit log."""

from __future__ import annotations

from lms.accounts import queries
from lms.accounts.errors import LastAdministrator, NotYourself
from lms.accounts.models import User
from lms.accounts.services.claim_links import send_link
from lms.accounts.services.registration import send_confirmation
from lms.core import audit, clock
from lms.core.db import db
from lms.core.models import JobState, OutboxRow
from lms.core.outbox import retry_failed


def deactivate(user: User, actor: User | None) -> None:
    """Switch an account off; the person is signed out at once. actor None: by the command line.

    Raises NotYourself or LastAdministrator.
    """
    if actor is not None and user.id == actor.id:
        raise NotYourself
    if user.deactivated_at is not None:
        return
    if user.is_administrator:
        keep_one_administrator(user)
    user.deactivated_at = clock.now()
    audit.record("accounts.deactivate", user, actor.id if actor else None)


def reactivate(user: User, actor: User | None) -> None:
    """Let the person use the account again."""
    if user.deactivated_at is not None:
        user.deactivated_at = None
        audit.record("accounts.reactivate", user, actor.id if actor else None)


def make_administrator(user: User, actor: User | None) -> None:
    """Let the person administer. actor None: by the command line."""
    if not user.is_administrator:
        user.is_administrator = True
        audit.record("accounts.make_administrator", user, actor.id if actor else None)


def unmake_administrator(user: User, actor: User | None) -> None:
    """Take the right to administer away. Raises LastAdministrator."""
    if not user.is_administrator:
        return
    keep_one_administrator(user)
    user.is_administrator = False
    audit.record("accounts.unmake_administrator", user, actor.id if actor else None)


def keep_one_administrator(leaving: User) -> None:
    """Raises LastAdministrator when nobody else administers."""
    active = queries.lock_administrators()
    if not any(other.id != leaving.id for other in active):
        raise LastAdministrator


def resend_confirmation(user: User, actor: User) -> None:
    """Mail the link for confirming, or for claiming, again. Raises AlreadyConfirmed."""
    if user.claim is not None:
        send_link(user.claim)
    else:
        send_confirmation(user)
    audit.record("accounts.resend_confirmation", user, actor.id)


def start_again(row: OutboxRow, actor: User) -> None:
    """Let a job that was given up start again from its first try."""
    if row.state == JobState.FAILED:
        retry_failed(row)
        audit.record("jobs.start_again", row, actor.id, job=row.job)


def start_all_again(actor: User) -> int:
    """Let all jobs that were given up start again; returns how many."""
    rows = db.session.scalars(queries.list_jobs(JobState.FAILED)).all()
    for row in rows:
        start_again(row, actor)
    return len(rows)
