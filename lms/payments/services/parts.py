"""Payment pages and reminders of parts that are due on days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.money import Money
from lms.core.outbox import enqueue
from lms.core.settings import settings
from lms.courses.models import CourseRun
from lms.notifications.services import tell
from lms.payments import queries as order_queries
from lms.payments.due_models import Due, PlanPart
from lms.payments.errors import GatewayUnknown, NothingOwed, PlanRefused
from lms.payments.gateways.base import PaymentGateway, Started, payment_gateways
from lms.payments.models import Order, OrderState
from lms.payments.queries import dues as queries
from lms.payments.services.dues import Part, follow_access, spread
from lms.payments.services.orders import lock_order

BEFORE = 5  # days before a part is due: the first reminder
STEPS = (-BEFORE, 1, 8, 21)  # days after the day on which a part is due


def schedule_for(run: CourseRun, total: Money) -> list[Part]:
    """The parts in which a place may be paid now; empty where it is paid at once."""
    plan = [(part.percent, part.due_on) for part in queries.plan_of(run)]
    parts = spread(total, plan, queries.today())
    return parts if len(parts) > 1 and parts[0].due_on <= queries.today() else []


def keep_plan(run: CourseRun, plan: Sequence[tuple[int, date | None]], by: User) -> None:
    """Let a run be paid in these parts; in none where the plan is empty. Orders stay as they are.

    Raises PlanRefused.
    """
    days = [due_on for _percent, due_on in plan[1:]]
    is_in_order = all(days) and days == sorted(set(days), key=lambda day: day or date.min)
    is_whole = len(plan) > 1 and sum(percent for percent, _day in plan) == 100
    is_sound = is_whole and is_in_order and plan[0][1] is None
    if plan and not (is_sound and all(percent > 0 for percent, _day in plan)):
        raise PlanRefused
    for part in queries.plan_of(run):
        db.session.delete(part)
    db.session.flush()
    for position, (percent, due_on) in enumerate(plan, 1):
        db.session.add(PlanPart(run=run, position=position, percent=percent, due_on=due_on))
    db.session.flush()
    record("payments.keep_plan", run, by.id, parts=[percent for percent, _day in plan])


def _may_be_opened(due: Due, gateway: PaymentGateway | None) -> bool:
    return (
        gateway is not None and not gateway.refunds_by_hand and gateway.is_available(due.currency)
    )


def prepare_page(due: Due, gateway_name: str) -> Due:
    """Let a payment page be opened for what is open of a part, unless one is.

    Raises NothingOwed and GatewayUnknown.
    """
    order = lock_order(due.order)
    db.session.refresh(due)
    if order.state != OrderState.OWED or not due.open_minor:
        raise NothingOwed
    gateway = payment_gateways.get(gateway_name)
    if gateway is None or not _may_be_opened(due, gateway):
        raise GatewayUnknown
    if page_is_open(due) and due.gateway == gateway.name:
        return due
    if due.gateway_session:
        enqueue("payments.close_page", gateway=due.gateway, session=due.gateway_session)
    due.gateway, due.page_minor = gateway.name, due.open_minor
    due.gateway_session = due.gateway_url = None
    due.attempt += 1
    due.expires_at = clock.now() + gateway.holds_seat_for
    db.session.flush()
    return due


def page_is_open(due: Due) -> bool:
    """Whether what is open can still be paid on the page that was opened."""
    is_open = due.gateway_url is not None and due.page_minor == due.open_minor
    return is_open and due.expires_at is not None and clock.now() < due.expires_at


def keep_page(due: Due, started: Started, attempt: int) -> None:
    """Note the payment page that the gateway opened. Raises NothingOwed when it is paid by now."""
    order = lock_order(due.order)
    db.session.refresh(due)
    if due.attempt != attempt or order.state != OrderState.OWED:
        if started.session:
            enqueue("payments.close_page", gateway=due.gateway, session=started.session)
        raise NothingOwed
    due.gateway_session, due.gateway_url = started.session, started.address
    db.session.flush()


def forget_page(due: Due, session: str | None) -> None:
    """A payment page is closed. Safe to repeat."""
    if due.gateway_session == session:
        due.gateway_session = due.gateway_url = due.expires_at = None
        db.session.flush()


def facts(due: Due) -> dict[str, Any]:
    """What messages about a part say."""
    return order_queries.facts_for_messages(due.order) | {
        "amount": [due.open_minor, due.currency],
        "due_on": due.due_on.isoformat(),
        "is_in_parts": due.order.first_minor is not None,
        "pause_after": settings().pause_after_days,
    }


def remind(order: Order) -> None:
    """Tell of what is due soon or late, each step once, and close what is late. Repeatable."""
    order = lock_order(order)
    if order.state != OrderState.OWED:
        return
    today = queries.today()
    for due in queries.dues_of(order):
        passed = [step for step in STEPS if step <= due.days_late(today)]
        if not due.open_minor or not passed:
            continue
        step = passed[-1]
        if due.told_step is not None and due.told_step >= step:
            continue
        if due.told_step is None and step < 0 and due.due_on <= today:
            continue
        due.told_step, due.told_at = step, clock.now()
        tell(order.user, "payments.part_late" if step > 0 else "payments.part_due", **facts(due))
    db.session.flush()
    follow_access(order)
