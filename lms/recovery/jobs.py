"""Work by the clock and after commit: decisions that are due, learners of a moved run."""

from __future__ import annotations

from lms.core.db import db, transaction
from lms.core.outbox import Job
from lms.recovery.models import RunDecision
from lms.recovery.services import decisions


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


JOBS = [
    Job("recovery.tell_of_due_decisions", tell_of_due_decisions, every="10 * * * *"),
    Job("recovery.offer_moves", offer_moves, writes=False),
]
