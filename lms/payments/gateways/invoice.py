"""Invoice: an approved organisation has what it orders at once, and pays by transfer by a day."""

from __future__ import annotations

from datetime import timedelta

from flask import has_app_context
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lms.accounts.models import User
from lms.core.settings import settings
from lms.core.web import absolute_url
from lms.ledger.accounts import Account
from lms.payments.gateways.bank_transfer import bank_account
from lms.payments.gateways.base import Payable, PaymentGateway, Started
from lms.payments.queries.dues import approvals_of


def _label() -> str:
    if not has_app_context():  # Python itself looks at the text when it makes the class
        return ""
    return str(_("Invoice, %(days)s days", days=settings().invoice_days))


class InvoiceGateway(PaymentGateway):
    """For managers of organisations that an administrator approved; nobody else."""

    name = "invoice"
    label = LazyString(lambda: _label())
    description = lazy_gettext(
        "For your organisation, with its purchase order. You have what you order at once, and pay"
        " the invoice by transfer."
    )
    button = lazy_gettext("Order on invoice")
    holds_seat_for = timedelta(minutes=35)
    refunds_by_hand = True
    is_on_account = True

    @property
    def ledger_account(self) -> str:
        """The bank account, to which it is transferred."""
        return Account.BANK

    def is_available(self, currency: str) -> bool:
        """Whether there is an account to pay to."""
        return bool(bank_account().get("account"))

    def is_offered_to(self, buyer: User) -> bool:
        """Whether they manage an approved organisation."""
        return bool(approvals_of(buyer))

    def start(self, payable: Payable) -> Started:
        """The order's own page tells where to pay, and by when."""
        endpoint, values = payable.page
        return Started(absolute_url(endpoint, **values))
