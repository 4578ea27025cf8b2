"""Bank transfer: the buyer sends the money, an administrator confirms that it came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext

from lms.core.db import db
from lms.core.models import SiteSetting
from lms.core.web import absolute_url
from lms.ledger.accounts import Account
from lms.payments.gateways.base import Payable, PaymentGateway, Started


def bank_account() -> dict[str, Any]:
    """Where to send the money, as administrators wrote it.

    holder, bank, account, swift; note: further words, by language.
    """
    row = db.session.get(SiteSetting, "bank_account")
    return dict(row.value) if row is not None else {}


class BankTransferGateway(PaymentGateway):
    """A page and a mail with instructions; the seat is kept for a week."""

    name = "bank_transfer"
    label = lazy_gettext("Bank transfer")
    description = lazy_gettext(
        "You receive the account and a reference by mail. What you buy is kept for 7 days, and you"
        " can start as soon as the money has arrived."
    )
    button = lazy_gettext("Show how to transfer")
    holds_seat_for = timedelta(days=7)
    refunds_by_hand = True
    takes_baskets = True
    instructions = "payments.transfer_instructions"

    @property
    def ledger_account(self) -> str:
        """The bank account itself."""
        return Account.BANK

    def is_available(self, currency: str) -> bool:
        """Whether an account is set up."""
        return bool(bank_account().get("account"))

    def start(self, payable: Payable) -> Started:
        """The order's own page holds the instructions."""
        endpoint, values = payable.page
        return Started(absolute_url(endpoint, **values))
