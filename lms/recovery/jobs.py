"""Work by the clock and after commit: decisions that are due, learners of a moved run."""

from __future__ import annotations

from lms.core.db import db, transaction
from lms.core.outbox import Job
from lms.recovery import mails
from lms.recovery.models import ReportMail, RunDecision
from lms.recovery.services import decisions, sharing


def tell_of_due_decisions() -> None:
    """Tell administrators of runs whose decision date has come."""
    decisions.tell_of_due_decisions()


def offer_moves(decision_id: int) -> None:
    """Ask all learners of a moved run, some in a transaction: who was asked is not asked again."""
    is_more = True
    while is_more:
        with transaction():
            decision = db.session.get_one(RunDecision, decision_id)
            is_more = decisions.offer_moves(decision) == decisions.AT_ONCE


def send_due_mails() -> None:
    """Enqueue the reports whose day has come."""
    sharing.send_due_mails()


def mail_report(mail_id: int) -> None:
    """Mail one report."""
    row = db.session.get(ReportMail, mail_id)
    if row is not None:
        mails.send(row)


JOBS = [
    Job("recovery.tell_of_due_decisions", tell_of_due_decisions, every="10 * * * *"),
    Job("recovery.offer_moves", offer_moves, writes=False),
    Job("recovery.send_due_mails", send_due_mails, every="40 5 * * *"),
    Job("recovery.mail_report", mail_report, writes=False),
]
