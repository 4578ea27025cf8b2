"""The fee of a portfolio as something that is bought, and what the ledger says of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import exists, select

from lms.accounts.models import User
from lms.config import LANGUAGES
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.language import speaking
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.courses.models import Course
from lms.invoicing.taxes import SupplyKind
from lms.ledger.accounts import Account
from lms.ledger.checks import LedgerCheck, LedgerDocument, Unexplained
from lms.ledger.kinds import Difference
from lms.payments.models import SETTLED, Order, OrderState, PaymentException, RefundReason
from lms.payments.products import Delivery, Item, Onward, Product, Refused, Taxable
from lms.recognition import queries
from lms.recognition.errors import NoFeeDue
from lms.recognition.models import PriorLearningRequest, RequestState
from lms.recognition.services.prior_learning import fees, portfolio

_PAID_TWICE = Refused(PaymentException.PAID_TWICE, RefundReason.PAID_TWICE)
_TOO_LATE = Refused(PaymentException.SEAT_GONE, RefundReason.BY_BUYER)


class PriorLearningFeePaid(Product):
    """The fee of a request for prior learning; its key is the request's UUID."""

    name = fees.PRODUCT
    label = lazy_gettext("Recognition of prior learning")
    income = Account.RECOGNITION_FEES

    def find(self, key: uuid.UUID, buyer: User, country: str | None) -> Item:
        """The fee of one's own request that waits for it. Raises NotFound."""
        request = queries.find_by_fee(key)
        if request is None or request.user_id != buyer.id or request.state != RequestState.FEE_DUE:
            raise NotFound
        currency = settings().currencies[0]
        course = request.course.title
        return Item(
            self.name,
            key,
            {code: _title(course, code) for code in LANGUAGES},
            fees.prices_of(request.fee, country or buyer.country) or {currency: Money(0, currency)},
            back=(_page(key), _("Prior learning")),
            rule=fees.rule_in_words(),
        )

    def lock(self, order: Order) -> None:
        """The request, as everybody does who changes it."""
        queries.find_by_fee(order.item, locked=True)

    def hold(self, order: Order, for_: timedelta) -> None:
        """The portfolio waits by itself. Raises NoFeeDue when it does so no more."""
        request = queries.find_by_fee(order.item, locked=True)
        if request is None or request.state != RequestState.FEE_DUE:
            raise NoFeeDue

    def refuses(self, order: Order) -> Refused | None:
        """Whether the fee was paid before, was waived, or the request has ended."""
        request = queries.find_by_fee(order.item)
        if request is None or request.fee_waived_at or request.state == RequestState.WITHDRAWN:
            return _TOO_LATE
        return _PAID_TWICE if request.fee_paid_at else None

    def deliver(self, order: Order) -> None:
        """The portfolio goes on, once."""
        request = queries.find_by_fee(order.item)
        if request is not None:
            portfolio.pay_fee(request)

    def take_back(self, order: Order) -> None:
        """What nobody has begun to read waits for its fee again."""
        request = queries.find_by_fee(order.item)
        if request is not None and request.fee_paid_at is not None:
            fees.note_returned(request)

    def taxable(self, order: Order) -> Taxable:
        """A fee."""
        return Taxable(in_language(order.title), SupplyKind.FEE)

    def delivery(self, order: Order) -> Delivery:
        """The request, which goes its way."""
        request = queries.find_by_fee(order.item)
        if request is None or order.item is None:
            return Delivery(order.is_settled)
        return Delivery(
            request.fee_paid_at is not None,
            Onward(_page(order.item), _("See your request")),
            [_("Your request is handed in. A mail tells you what is decided.")],
        )


def _title(course: Mapping[str, str], language: str) -> str:
    with speaking(language):
        return str(_("Recognition of prior learning: %(title)s", title=in_language(course)))


def _page(key: uuid.UUID) -> str:
    return absolute_url("recognition.show_prior_learning", identifier=key)


def _fees_paid() -> Iterable[Unexplained]:
    """Each fee that was paid has let its portfolio go on, and none went on without its money."""
    has_gone_on = (
        PriorLearningRequest.fee_paid_at.is_not(None)
        | PriorLearningRequest.fee_waived_at.is_not(None)
        | (PriorLearningRequest.state == RequestState.WITHDRAWN)
    )
    stuck = (
        select(Order)
        .join(PriorLearningRequest, PriorLearningRequest.uuid == Order.item)
        .where(Order.product == fees.PRODUCT, Order.state.in_(SETTLED), ~has_gone_on)
        .order_by(Order.id)
    )
    for order in db.session.scalars(stuck):
        yield Unexplained(Difference.FEE_NOT_USED, f"order {order.number}", order.total)
    paid = exists().where(
        Order.product == fees.PRODUCT,
        Order.item == PriorLearningRequest.uuid,
        Order.state.in_((*SETTLED, OrderState.REFUNDED)),
    )
    for key in db.session.scalars(
        select(PriorLearningRequest.uuid)
        .where(PriorLearningRequest.fee_paid_at.is_not(None), ~paid)
        .order_by(PriorLearningRequest.id)
    ):
        yield Unexplained(Difference.FEE_NOT_PAID, f"prior_learning:{key}")


def _titles(keys: Iterable[str]) -> dict[str, str]:
    found = db.session.execute(
        select(PriorLearningRequest.uuid, Course.title)
        .join(PriorLearningRequest.course)
        .where(PriorLearningRequest.uuid.in_([uuid.UUID(key) for key in keys]))
    )
    return {
        str(key): str(_("Prior learning: %(title)s", title=in_language(title)))
        for key, title in found
    }


CHECKS = [LedgerCheck("prior_learning_fees", _fees_paid)]
DOCUMENTS = [LedgerDocument(fees.PRODUCT, _titles, lambda key: None)]
