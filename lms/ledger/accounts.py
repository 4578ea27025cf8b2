"""The chart of accounts.

An account's code is its class, its name and, where there are several of a kind, whose it is:
"Assets:Clearing:Stripe". The codes are account names of Beancount as they stand, so that an
outside checker reads the export without a table of translations.
"""

from __future__ import annotations

import re
from enum import StrEnum

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString


class Account(StrEnum):
    """A kind of account; `Account.CLEARING.of("stripe")` is the one of a payment service."""

    BANK = "Assets:Bank"
    CLEARING = "Assets:Clearing"
    RECEIVABLE = "Assets:Receivable"
    PARTNER_RECEIVABLE = "Assets:PartnerReceivable"
    DISPUTES = "Assets:DisputesOpen"
    EXCHANGE = "Equity:Exchange"
    SUSPENSE = "Equity:NotExplained"
    OTHER = "Equity:OtherBusiness"
    DEFERRED = "Liabilities:Deferred"
    TAX = "Liabilities:Tax"
    PARTNER_PAYABLE = "Liabilities:PartnerPayable"
    CREDIT = "Liabilities:CreditBalance"
    FUND = "Liabilities:Fund"
    COURSES = "Income:Courses"
    PUBLICATIONS = "Income:Publications"
    EXCHANGE_FEES = "Income:ExchangeFees"
    RECOGNITION_FEES = "Income:RecognitionFees"
    BREAKAGE = "Income:Breakage"
    DONATIONS = "Income:Donations"
    REFUNDS = "Income:Refunds"  # contra: what was earned and went back
    EXCHANGE_GAIN = "Income:ExchangeGain"
    PROCESSOR = "Expenses:Processor"
    DISPUTE_FEE = "Expenses:DisputeFee"
    BANK_FEE = "Expenses:BankFee"
    PARTNER_SHARE = "Expenses:PartnerShare"
    BAD_DEBT = "Expenses:BadDebt"
    EXCHANGE_LOSS = "Expenses:ExchangeLoss"

    def of(self, whose: str | int) -> str:
        """The account of this kind that belongs to `whose`: a service, a partner, a place."""
        words = re.sub(r"[^A-Za-z0-9]+", "-", str(whose)).strip("-")
        return f"{self.value}:{words[:1].upper()}{words[1:]}"


LABELS: dict[Account, LazyString] = {
    Account.BANK: lazy_gettext("Bank"),
    Account.CLEARING: lazy_gettext("On its way from the payment service"),
    Account.RECEIVABLE: lazy_gettext("Owed by buyers"),
    Account.PARTNER_RECEIVABLE: lazy_gettext("Collected by a partner for us"),
    Account.DISPUTES: lazy_gettext("Held back in disputes"),
    Account.EXCHANGE: lazy_gettext("Exchanged between currencies"),
    Account.SUSPENSE: lazy_gettext("Not explained yet"),
    Account.OTHER: lazy_gettext("Has nothing to do with what is sold here"),
    Account.DEFERRED: lazy_gettext("Paid for weeks still to come"),
    Account.TAX: lazy_gettext("Tax owed"),
    Account.PARTNER_PAYABLE: lazy_gettext("Owed to a partner"),
    Account.CREDIT: lazy_gettext("Credit of buyers"),
    Account.FUND: lazy_gettext("Scholarship fund"),
    Account.COURSES: lazy_gettext("Earned by courses"),
    Account.PUBLICATIONS: lazy_gettext("Earned by publications"),
    Account.EXCHANGE_FEES: lazy_gettext("Fees of exchanges"),
    Account.RECOGNITION_FEES: lazy_gettext("Fees of recognition"),
    Account.BREAKAGE: lazy_gettext("Paid for and never used"),
    Account.DONATIONS: lazy_gettext("Donations"),
    Account.REFUNDS: lazy_gettext("Earned, then given back"),
    Account.EXCHANGE_GAIN: lazy_gettext("Gained by exchange rates"),
    Account.PROCESSOR: lazy_gettext("Fees of payment services"),
    Account.DISPUTE_FEE: lazy_gettext("Fees of disputes"),
    Account.BANK_FEE: lazy_gettext("Fees of the bank"),
    Account.PARTNER_SHARE: lazy_gettext("Shares of partners"),
    Account.BAD_DEBT: lazy_gettext("Lost for good"),
    Account.EXCHANGE_LOSS: lazy_gettext("Lost by exchange rates"),
}


def kind_of(code: str) -> Account:
    """The kind of an account. Raises ValueError for a code that is none."""
    return Account(":".join(code.split(":")[:2]))


def account_label(code: str) -> str:
    """An account in words, with whose it is: "Tax owed: CA-ON"."""
    whose = ":".join(code.split(":")[2:])
    return f"{LABELS[kind_of(code)]}: {whose}" if whose else str(LABELS[kind_of(code)])


def is_debit_account(code: str) -> bool:
    """Whether its balance is shown as debit less credit: assets and expenses."""
    return code.startswith(("Assets:", "Expenses:"))
