"""Collected by a partner: the buyer pays in their own currency, at a bank of their own country."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import lazy_gettext
from sqlalchemy import exists, select

from lms.core.db import db
from lms.core.web import absolute_url
from lms.courses.models import CourseRun
from lms.ledger.accounts import Account
from lms.partners.collecting_models import Collector
from lms.partners.queries import receivable_account
from lms.partners.services import collecting
from lms.payments.gateways.base import Payable, PaymentGateway, Started
from lms.payments.models import Order


class PartnerTransferGateway(PaymentGateway):
    """QR code or transfer to a partner; its people confirm, and owe the money to the seller."""

    name = collecting.GATEWAY
    label = lazy_gettext("QR code or transfer in your country")
    description = lazy_gettext(
        "A partner of ours takes the payment in your currency. You receive the QR code, the account"
        " and a reference. What you buy is kept for 3 days, and you can start as soon as the"
        " partner has confirmed the money."
    )
    button = lazy_gettext("Show how to pay")
    holds_seat_for = timedelta(days=3)
    refunds_by_hand = True
    instructions = "partners.how_to_pay"

    def ledger_account_for(self, order: Order) -> str:
        """What the partner of an order has collected."""
        collector = collecting.collector_of(order)
        if collector is None:
            return Account.PARTNER_RECEIVABLE.of("unknown")
        return receivable_account(collector.organisation)

    def is_available(self, currency: str) -> bool:
        """Whether any partner collects in a currency."""
        found = exists().where(Collector.is_active, Collector.currency == currency)
        return bool(db.session.scalar(select(found)))

    def offers(self, currency: str, run: CourseRun | None, country: str | None) -> bool:
        """Whether a partner that shares the run collects in the buyer's country."""
        return run is not None and collecting.find_collector(run, currency, country) is not None

    def start(self, payable: Payable) -> Started:
        """The order's own page holds the instructions."""
        endpoint, values = payable.page
        return Started(absolute_url(endpoint, **values))
