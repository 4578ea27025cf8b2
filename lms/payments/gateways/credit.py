"""Credit as a way to pay: never chosen by itself, the checkout offers what one has."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import lazy_gettext

from lms.ledger.accounts import Account
from lms.payments.errors import GatewayUnavailable
from lms.payments.gateways.base import Payable, PaymentGateway, Started
from lms.payments.models import Order


class CreditGateway(PaymentGateway):
    """Money that a refund left with us."""

    name = "credit"
    label = lazy_gettext("Credit from a refund")
    description = lazy_gettext("What you have from a refund.")
    button = lazy_gettext("Pay with credit")
    holds_seat_for = timedelta(minutes=35)

    def is_available(self, currency: str) -> bool:
        """Never among the ways to pay: see `services.credits`."""
        return False

    def ledger_account_for(self, order: Order) -> str:
        """What is owed to the buyer."""
        return Account.CREDIT.of(order.user_id)

    def start(self, payable: Payable) -> Started:
        """There is no page."""
        raise GatewayUnavailable
