"""The fee of a portfolio: what it is for whom, when it comes back, for whom it is waived."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date

from flask_babel import gettext as _

from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.settings import settings
from lms.courses.models import Course
from lms.payments import queries as payments
from lms.payments.errors import NothingToRefund, OrderClosed
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import RefundReason
from lms.payments.services.orders import cancel_order
from lms.payments.services.refunds import refund_order
from lms.pricing.income_groups import LIST_TIER
from lms.pricing.queries import tiers_of
from lms.recognition import queries
from lms.recognition.errors import FeeHasBegun, NoFeeDue
from lms.recognition.models import (
    EVERYBODY,
    PriorLearningFee,
    PriorLearningFeeAmount,
    PriorLearningRequest,
    RequestState,
)
from lms.recognition.services.prior_learning.history import note

PRODUCT = "prior_learning"
Amounts = Mapping[str, Mapping[str, Money]]  # tier (EVERYBODY for all others) -> currency -> money
_FREE_STATES = (RequestState.DRAFT, RequestState.FEE_DUE)


def today() -> date:
    """The day by which fees begin: where the site is at home."""
    return clock.local_date(clock.now(), settings().default_time_zone)


def can_be_paid() -> bool:
    """Whether this site has a way to pay at all; without one nothing is asked."""
    return bool(payment_gateways)


def set_fee(course: Course, actor: User, amounts: Amounts, starts_on: date) -> PriorLearningFee:
    """Let a course ask for these amounts from a day on, in requests that are opened then."""
    fee = PriorLearningFee(course=course, starts_on=starts_on, made_by_id=actor.id)
    fee.amounts.extend(
        PriorLearningFeeAmount(tier=tier, currency=currency, amount_minor=money.minor)
        for tier, of_tier in amounts.items()
        for currency, money in of_tier.items()
    )
    db.session.add(fee)
    db.session.flush()
    told = {tier: [str(money) for money in each.values()] for tier, each in amounts.items()}
    audit.record(
        "recognition.set_fee", course, actor.id, starts_on=starts_on.isoformat(), amounts=told
    )
    return fee


def remove_fee(fee: PriorLearningFee, actor: User) -> None:
    """Take back a fee that has not begun. Raises FeeHasBegun."""
    if fee.starts_on <= today():
        raise FeeHasBegun
    audit.record(
        "recognition.remove_fee", fee.course, actor.id, starts_on=fee.starts_on.isoformat()
    )
    db.session.delete(fee)
    db.session.flush()


def prices_of(fee: PriorLearningFee | None, country: str | None) -> dict[str, Money]:
    """What somebody of a country pays, by currency; nothing where there is no fee for them."""
    if fee is None or not can_be_paid():
        return {}
    tier = tiers_of([country])[country].tier if country else LIST_TIER
    by_tier: dict[str, dict[str, Money]] = {}
    for one in fee.amounts:
        by_tier.setdefault(one.tier, {})[one.currency] = one.amount
    found = by_tier.get(tier) or by_tier.get(EVERYBODY, {})
    return found if all(money.minor for money in found.values()) else {}


def is_due(request: PriorLearningRequest) -> bool:
    """Whether the learner has to pay before the portfolio is given on."""
    is_settled = request.fee_paid_at is not None or request.fee_waived_at is not None
    return not is_settled and bool(prices_of(request.fee, request.user.country))


def comes_back(request: PriorLearningRequest) -> bool:
    """The one rule of refunds: all of it until an assessor has begun, nothing after."""
    return not request.has_begun and request.decided_at is None


def rule_in_words() -> str:
    """The same for people, before they pay."""
    return str(
        _(
            "All of it, when you withdraw the request before an assessor has begun to read it."
            " Nothing after that, whatever is decided. An appeal costs nothing."
        )
    )


def lock(request: PriorLearningRequest) -> None:
    """Keep others from changing the request until the end of the transaction."""
    queries.find_by_fee(request.uuid, locked=True)


def note_paid(request: PriorLearningRequest) -> None:
    """The fee is there. Safe to repeat."""
    if request.fee_paid_at is None:
        request.fee_paid_at = clock.now()
        note(request, None, "fee_paid")


def note_returned(request: PriorLearningRequest) -> None:
    """All of the fee went back: what nobody has begun to read waits for it again."""
    if request.state == RequestState.HANDED_IN and comes_back(request):
        request.state, request.fee_paid_at, request.due_on = RequestState.FEE_DUE, None, None
        for assessor in request.assessors:
            assessor.released_at = assessor.released_at or clock.now()
    note(request, None, "fee_returned")


def give_back(request: PriorLearningRequest, *, all_of_it: bool) -> None:
    """The request ends: its open order is closed, and what was paid goes back, `all_of_it` or not.

    Money that is on its way comes back when it has arrived.
    """
    _close_order(request)
    order = payments.find_settled_item(PRODUCT, request.uuid)
    if order is not None and all_of_it:
        with suppress(NothingToRefund):  # it cost nothing, or all of it went back before
            refund_order(order, RefundReason.BY_BUYER)
            note(request, None, "fee_goes_back")


def _close_order(request: PriorLearningRequest) -> None:
    order = payments.find_open_item(PRODUCT, request.uuid, request.user)
    if order is not None:
        with suppress(OrderClosed):
            cancel_order(order)


def waive(request: PriorLearningRequest, actor: User, reason: str) -> bool:
    """Ask this learner for no fee; whether the portfolio waited for it. Raises NoFeeDue."""
    lock(request)
    if request.state not in _FREE_STATES or not is_due(request):
        raise NoFeeDue
    request.fee_waived_at = clock.now()
    note(request, actor, "fee_waived", reason=reason)
    audit.record("recognition.waive_fee", request, actor.id, reason=reason)
    _close_order(request)
    return request.state == RequestState.FEE_DUE
