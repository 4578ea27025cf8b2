"""Reads of what is still to be paid of delivered orders."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.settings import settings
from lms.courses.models import CourseRun, Enrolment
from lms.directory.models import Organisation, OrganisationRole, OrganisationRoleName
from lms.payments.due_models import Due, InvoiceApproval, PlanPart
from lms.payments.models import Order, OrderState, Payment, Refund, RefundState

IS_OPEN = Due.paid_minor + Due.waived_minor + Due.lost_minor < Due.amount_minor
OPEN_MINOR = Due.amount_minor - Due.paid_minor - Due.waived_minor - Due.lost_minor


def today() -> date:
    """The day by which parts are due."""
    return clock.local_date(clock.now(), settings().default_time_zone)


def dues_of(order: Order) -> Sequence[Due]:
    """The parts of an order, as they are in the database now, in their order."""
    return db.session.scalars(
        select(Due)
        .where(Due.order_id == order.id)
        .order_by(Due.position)
        .execution_options(populate_existing=True)
    ).all()


def find_due(key: uuid.UUID) -> Due | None:
    """The part with this uuid."""
    return db.session.scalar(select(Due).where(Due.uuid == key))


def get_due(key: uuid.UUID) -> Due:
    """The part with this uuid. Raises NotFound."""
    due = find_due(key)
    if due is None:
        raise NotFound
    return due


def owed_of(order: Order) -> int:
    """Minor units that are owed for the parts of a delivered order; they count from then on."""
    if order.delivered_at is None:
        return 0
    return int(db.session.scalar(select(func.sum(OPEN_MINOR)).where(Due.order_id == order.id)) or 0)


def still_asked(order: Order) -> int:
    """Minor units of a delivered order that are open, or were written off and never waived."""
    if order.delivered_at is None:
        return 0
    asked = func.sum(Due.amount_minor - Due.paid_minor - Due.waived_minor)
    return int(db.session.scalar(select(asked).where(Due.order_id == order.id)) or 0)


def kept_in_parts(order: Order) -> int:
    """Minor units that came in for an order as it asked for them, and did not go back."""
    came = db.session.scalar(
        select(func.coalesce(func.sum(Payment.amount_minor), 0)).where(
            Payment.order_id == order.id, Payment.exception.is_(None)
        )
    )
    went = db.session.scalar(
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Refund.order_id == order.id,
            Refund.state == RefundState.DONE,
            Payment.exception.is_(None),
        )
    )
    return int(came or 0) - int(went or 0)


def has_parts(order: Order) -> bool:
    """Whether an order is, or was, paid in parts or after its delivery."""
    return order.delivered_at is not None or order.first_minor is not None


def list_owed(*, late_only: bool = False, words: str = "") -> Select[Due]:
    """Open parts of delivered orders, the one that has been due for longest first."""
    found = (
        select(Due)
        .join(Order, Order.id == Due.order_id)
        .where(Order.state == OrderState.OWED, IS_OPEN)
        .options(
            joinedload(Due.order).joinedload(Order.run).joinedload(CourseRun.course),
            joinedload(Due.order).joinedload(Order.user),
        )
        .order_by(Due.due_on, Due.id)
    )
    if late_only:
        found = found.where(Due.due_on < today())
    if words.strip():
        inside = "%" + words.strip().replace("\\", "\\\\").replace("%", "\\%") + "%"
        buyers = select(User.id).where(User.name.ilike(inside, escape="\\"))
        found = found.where(or_(Order.number.ilike(inside, escape="\\"), Order.user_id.in_(buyers)))
    return found


def orders_to_follow(first_reminder: int) -> Sequence[int]:
    """Ids of owed orders of which a part is due within so many days, or late."""
    until = today() + timedelta(days=first_reminder)
    near = exists().where(Due.order_id == Order.id, IS_OPEN, Due.due_on <= until)
    return db.session.scalars(
        select(Order.id).where(Order.state == OrderState.OWED, near).order_by(Order.id)
    ).all()


def find_owed_order(enrolment: Enrolment) -> Order | None:
    """The order by which a person is in a run and still owes a part."""
    return db.session.scalar(
        select(Order)
        .where(
            Order.run_id == enrolment.run_id,
            Order.user_id == enrolment.user_id,
            Order.state == OrderState.OWED,
        )
        .order_by(Order.id.desc())
        .limit(1)
    )


def approvals_of(user: User) -> Sequence[InvoiceApproval]:
    """The organisations for which a person may buy on invoice: those that they manage."""
    managed = select(OrganisationRole.organisation_id).where(
        OrganisationRole.user_id == user.id,
        OrganisationRole.role == OrganisationRoleName.MANAGER,
    )
    return db.session.scalars(
        select(InvoiceApproval)
        .where(InvoiceApproval.ended_at.is_(None), InvoiceApproval.organisation_id.in_(managed))
        .options(joinedload(InvoiceApproval.organisation))
        .order_by(InvoiceApproval.id)
    ).all()


def list_approvals() -> Select[InvoiceApproval]:
    """All approvals, those that hold first, then the newest."""
    return (
        select(InvoiceApproval)
        .options(joinedload(InvoiceApproval.organisation))
        .order_by(InvoiceApproval.ended_at.is_not(None), InvoiceApproval.id.desc())
    )


def organisations_to_approve() -> Sequence[Organisation]:
    """Organisations that may not buy on invoice now."""
    open_ones = select(InvoiceApproval.organisation_id).where(InvoiceApproval.ended_at.is_(None))
    return db.session.scalars(
        select(Organisation).where(Organisation.id.not_in(open_ones)).order_by(Organisation.slug)
    ).all()


def plan_of(run: CourseRun) -> Sequence[PlanPart]:
    """The parts in which a run may be paid; none where it is paid at once."""
    return db.session.scalars(
        select(PlanPart).where(PlanPart.run_id == run.id).order_by(PlanPart.position)
    ).all()


def part_facts(order: Order) -> list[dict[str, Any]]:
    """The open parts of an order as messages name them: day, and amount as [minor, currency]."""
    return [
        {"due_on": due.due_on.isoformat(), "amount": [due.open_minor, due.currency]}
        for due in dues_of(order)
        if due.open_minor
    ]
