"""Whether a run takes place: told when the day has come, decided once, carried out once.

A cancelled run is left to courses and payments, which refund by their own jobs. A moved run keeps
its learners; each is asked once, and whoever leaves gets the money back.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.db import db, insert_if_new
from lms.core.outbox import enqueue
from lms.courses.models import STUDIES, CourseRun, Enrolment, EnrolmentState, PublicationState
from lms.courses.services.enrolment import end_enrolment, lock_run
from lms.courses.services.runs import cancel_run, change_run, shifted
from lms.notifications.services import tell
from lms.payments.errors import NothingToRefund
from lms.payments.models import DELIVERED, Order, RefundReason
from lms.payments.services.refunds import refund_order
from lms.recovery.errors import AlreadyAnswered, AlreadyBegun, AlreadyDecided, DatesPassed
from lms.recovery.models import Decision, MoveAnswer, MoveOffer, RunBudget, RunDecision
from lms.recovery.queries import break_even

AT_ONCE = 100


def decide(
    run: CourseRun,
    decision: Decision,
    actor_id: int,
    *,
    starts_on: date | None = None,
    decide_on: date | None = None,
    note: str = "",
) -> RunDecision:
    """Confirm a run, move it to later days, or cancel it and give all money back.

    starts_on: the new first day of a moved run; decide_on: when it is decided again, None: not.
    Raises AlreadyDecided, AlreadyBegun, DatesPassed and, for the dates, what courses raise.
    """
    run = lock_run(run)
    budget = db.session.get(RunBudget, run.id, populate_existing=True)
    if run.state != PublicationState.PUBLISHED or (budget and budget.decided_at):
        raise AlreadyDecided
    today = clock.local_date(clock.now(), run.time_zone)
    if decision != Decision.CONFIRM and run.starts_on <= today:
        raise AlreadyBegun
    if budget is None:
        budget = RunBudget(run_id=run.id)
        db.session.add(budget)
    made = RunDecision(run_id=run.id, decision=decision, note=note, decided_by_id=actor_id)
    budget.decided_at = clock.now()
    if decision == Decision.CANCEL:
        cancel_run(run, actor_id)
    elif decision == Decision.DEFER:
        if starts_on is None or starts_on <= max(today, run.starts_on):
            raise DatesPassed
        made.old_starts_on, made.new_starts_on = run.starts_on, starts_on
        change_run(run, shifted(run, starts_on), actor_id)
        budget.decide_on = decide_on
        if decide_on is not None:
            budget.decided_at = budget.told_at = None
    db.session.add(made)
    db.session.flush()
    audit.record("recovery.decide", run, actor_id, decision=decision)
    if decision == Decision.DEFER:
        enqueue("recovery.offer_moves", decision_id=made.id)
    return made


def tell_of_due_decisions() -> int:
    """Tell administrators of runs whose decision date has come, each once; how many."""
    due = [budget for budget in break_even.waiting_for_decision() if budget.told_at is None]
    if not due:
        return 0
    administrators = db.session.scalars(
        select(User).where(User.is_administrator, User.closed_at.is_(None)).order_by(User.id)
    ).all()
    standing = break_even.positions([budget.run for budget in due])
    for budget, position in zip(due, standing, strict=True):
        for administrator in administrators:
            tell(
                administrator,
                "recovery.decision_due",
                run_id=budget.run_id,
                course=budget.run.course.title,
                starts_on=budget.run.starts_on.isoformat(),
                needed=position.needed,
                paying=position.paying,
            )
        budget.told_at = clock.now()
    db.session.flush()
    return len(due)


def offer_moves(decision: RunDecision, at_most: int = AT_ONCE) -> int:
    """Ask learners of a moved run who were not asked yet; how many. Each is asked once."""
    asked = select(MoveOffer.enrolment_id).where(MoveOffer.decision_id == decision.id)
    enrolments = db.session.scalars(
        select(Enrolment)
        .where(
            Enrolment.run_id == decision.run_id,
            Enrolment.state.in_(STUDIES),
            Enrolment.created_at <= decision.decided_at,
            Enrolment.id.not_in(asked),
        )
        .order_by(Enrolment.id)
        .limit(at_most)
    ).all()
    for enrolment in enrolments:
        if not insert_if_new(MoveOffer, decision_id=decision.id, enrolment_id=enrolment.id):
            continue
        offer = db.session.scalars(
            select(MoveOffer).where(
                MoveOffer.decision_id == decision.id, MoveOffer.enrolment_id == enrolment.id
            )
        ).one()
        assert decision.old_starts_on is not None
        assert decision.new_starts_on is not None
        tell(
            enrolment.user,
            "recovery.run_moved",
            offer_id=offer.id,
            course=decision.run.course.title,
            old=decision.old_starts_on.isoformat(),
            new=decision.new_starts_on.isoformat(),
        )
    return len(enrolments)


def answer_move(offer: MoveOffer, answer: MoveAnswer) -> None:
    """Stay in a moved run, or leave it and get the money back. Raises AlreadyAnswered."""
    run = lock_run(offer.decision.run)
    db.session.refresh(offer)
    if offer.answer == MoveAnswer.LEAVE:
        raise AlreadyAnswered
    today = clock.local_date(clock.now(), run.time_zone)
    if answer == MoveAnswer.LEAVE and run.starts_on <= today:
        raise AlreadyBegun
    offer.answer, offer.answered_at = answer, clock.now()
    db.session.flush()
    if answer == MoveAnswer.LEAVE:
        _give_back(offer.enrolment)


def _give_back(enrolment: Enrolment) -> None:
    orders = db.session.scalars(
        select(Order).where(Order.enrolment_id == enrolment.id, Order.state.in_(DELIVERED))
    ).all()
    is_refunded = False
    for order in orders:
        try:
            refund_order(order, RefundReason.RUN_CANCELLED)
            is_refunded = True
        except NothingToRefund:
            continue
    if not is_refunded:
        end_enrolment(enrolment, EnrolmentState.WITHDRAWN)
