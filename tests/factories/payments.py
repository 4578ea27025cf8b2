from __future__ import annotations

import itertools
from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.models import SiteSetting
from lms.core.money import Money
from lms.courses.models import Course, CourseRun
from lms.payments.models import Order, OrderState, Payment, Refund, RefundState, Voucher
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment, make_run

_numbers = itertools.count(1)

PRICE = Money(12_000, "CAD")


def make_paid_run(course: Course | None = None, **values: Any) -> CourseRun:
    """A published run that costs 120 CAD."""
    values.setdefault("price", PRICE)
    return make_run(course, **values)


def make_order(run: CourseRun | None = None, user: User | None = None, **values: Any) -> Order:
    """An order that waits for its card payment, without a seat."""
    run = run or make_paid_run()
    user = user or make_user()
    number = next(_numbers)
    discount = values.pop("discount_minor", 0)
    defaults: dict[str, Any] = {
        "number": f"P-2020-{number:06d}",
        "user": user,
        "run": run,
        "currency": run.price.currency,
        "amount_minor": run.price.minor,
        "discount_minor": discount,
        "total_minor": run.price.minor - discount,
        "state": OrderState.PENDING,
        "gateway": "stripe",
        "country": "BO",
        "buyer_name": user.name,
        "language": "en",
        "created_at": values.get("paid_at") or clock.now(),
    }
    order = Order(**(defaults | values))
    db.session.add(order)
    db.session.commit()
    return order


def make_paid_order(run: CourseRun | None = None, user: User | None = None, **values: Any) -> Order:
    """An order that was paid by card, with its payment and an active enrolment."""
    paid_at = values.setdefault("paid_at", clock.now())
    order = make_order(run, user, state=OrderState.PAID, **values)
    make_payment(order, received_at=paid_at)
    order.enrolment = make_enrolment(order.run, order.user, method="payment")
    db.session.commit()
    return order


def make_payment(order: Order, **values: Any) -> Payment:
    """The money of an order."""
    defaults: dict[str, Any] = {
        "gateway": order.gateway or "stripe",
        "reference": f"pi_{next(_numbers)}",
        "currency": order.currency,
        "amount_minor": order.total_minor,
    }
    payment = Payment(order=order, **(defaults | values))
    db.session.add(payment)
    db.session.commit()
    return payment


def make_refund(payment: Payment, minor: int | None = None, **values: Any) -> Refund:
    """Money of a payment that went back."""
    minor = minor or payment.amount_minor
    defaults: dict[str, Any] = {
        "order": payment.order,
        "currency": payment.currency,
        "amount_minor": minor,
        "reason": "by_administrator",
        "state": RefundState.DONE,
        "reference": f"re_{next(_numbers)}",
        "done_at": clock.now(),
    }
    refund = Refund(payment=payment, **(defaults | values))
    payment.refunded_minor = (payment.refunded_minor or 0) + minor
    db.session.add(refund)
    db.session.commit()
    return refund


def make_voucher(code: str = "", **values: Any) -> Voucher:
    """A voucher of ten per cent without limits."""
    code = code or f"TEST-{next(_numbers):04d}"
    if "off" in values:
        off = values.pop("off")
        values |= {"off_minor": off.minor, "off_currency": off.currency}
    else:
        values.setdefault("percent", 10)
    voucher = Voucher(code=code, code_folded=Voucher.fold_code(code), **values)
    db.session.add(voucher)
    db.session.commit()
    return voucher


def set_bank_account(**values: Any) -> None:
    """Let buyers choose to pay by bank transfer."""
    account = {"holder": "Puente", "bank": "Banco Unión", "account": "10000-123", "swift": "BUNIBO"}
    db.session.merge(SiteSetting(name="bank_account", value=account | values))
    db.session.commit()
