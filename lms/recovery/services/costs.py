"""Costs of a run, and what is reckoned with."""

from __future__ import annotations

from datetime import date

from lms.core import audit
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.recovery.models import CostBasis, CostKind, RunBudget, RunCost


def add_cost(
    run: CourseRun,
    basis: CostBasis,
    kind: CostKind,
    amount: Money,
    spent_on: date,
    note: str,
    actor_id: int,
) -> RunCost:
    """Write down what a run costs."""
    cost = RunCost(
        run_id=run.id,
        basis=basis,
        kind=kind,
        currency=amount.currency,
        amount_minor=amount.minor,
        spent_on=spent_on,
        note=note,
        made_by_id=actor_id,
    )
    db.session.add(cost)
    db.session.flush()
    audit.record("recovery.add_cost", run, actor_id, amount=[amount.minor, amount.currency])
    return cost


def remove_cost(cost: RunCost, actor_id: int) -> None:
    """Take a cost back that was written down by mistake."""
    audit.record(
        "recovery.remove_cost", cost.run, actor_id, amount=[cost.amount_minor, cost.currency]
    )
    db.session.delete(cost)
    db.session.flush()


def set_budget(
    run: CourseRun,
    decide_on: date | None,
    fee_hundredths: int,
    share_hundredths: int,
    actor_id: int,
) -> RunBudget:
    """Say what is reckoned with, and when it is decided; a new day opens the decision again."""
    budget = db.session.get(RunBudget, run.id)
    if budget is None:
        budget = RunBudget(run_id=run.id)
        db.session.add(budget)
    if budget.decide_on != decide_on:
        budget.decide_on = decide_on
        budget.told_at = budget.decided_at = None
    budget.fee_hundredths = fee_hundredths
    budget.share_hundredths = share_hundredths
    db.session.flush()
    audit.record(
        "recovery.set_budget", run, actor_id, decide_on=decide_on.isoformat() if decide_on else None
    )
    return budget
