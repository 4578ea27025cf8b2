"""Kinds of entry, and kinds of what the check finds: codes for scripts, words for people."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString


class EntryKind(StrEnum):
    """What an entry tells."""

    SALE = "sale"  # a place was sold: owed by the buyer, to be earned week by week
    PAYMENT = "payment"
    FEE = "fee"
    WEEK = "week"  # a week was taught: what was paid for it is earned
    CREDIT_NOTE = "credit_note"  # a sale is taken back, in whole or in part
    BAD_DEBT = "bad_debt"  # what a buyer owed is written off
    BAD_DEBT_BACK = "bad_debt_back"  # it was paid after all
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    MOVED_FROM = "moved_from"  # a buyer moves to another run: what is owed leaves this one
    MOVED_TO = "moved_to"
    CREDIT_NOTE_UNDONE = "credit_note_undone"
    EXCHANGE = "exchange"  # money changed into the currency of the account at the service
    DISPUTE = "dispute"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    CREDIT_PAID = "credit_paid"  # a buyer's credit was sent to their bank
    PAYOUT = "payout"
    UNKNOWN = "unknown"  # moved at the payment service, nobody knows why yet
    EXPLAINED = "explained"
    SHARE = "share"  # of a partner, earned with the weeks
    SHARE_BACK = "share_back"
    COLLECTED = "collected"  # a partner took the buyer's money for the seller
    COLLECTED_BACK = "collected_back"
    PARTNER_PAID = "partner_paid"
    PARTNER_PAYS = "partner_pays"
    FUND_PAID_IN = "fund_paid_in"  # a donor pays into a scholarship fund


ENTRY_KINDS: dict[str, LazyString] = {
    EntryKind.SALE: lazy_gettext("Sale"),
    EntryKind.PAYMENT: lazy_gettext("Payment received"),
    EntryKind.FEE: lazy_gettext("Fee of the payment service"),
    EntryKind.WEEK: lazy_gettext("Week taught"),
    EntryKind.CREDIT_NOTE: lazy_gettext("Sale taken back"),
    EntryKind.BAD_DEBT: lazy_gettext("Written off"),
    EntryKind.BAD_DEBT_BACK: lazy_gettext("Paid after it was written off"),
    EntryKind.REFUND: lazy_gettext("Money given back"),
    EntryKind.REFUND_FAILED: lazy_gettext("Refund that did not arrive"),
    EntryKind.MOVED_FROM: lazy_gettext("Moved to another run"),
    EntryKind.MOVED_TO: lazy_gettext("Moved from another run"),
    EntryKind.CREDIT_NOTE_UNDONE: lazy_gettext("Sale holds after all"),
    EntryKind.EXCHANGE: lazy_gettext("Exchanged by the payment service"),
    EntryKind.DISPUTE: lazy_gettext("Dispute opened"),
    EntryKind.DISPUTE_WON: lazy_gettext("Dispute won"),
    EntryKind.DISPUTE_LOST: lazy_gettext("Dispute lost"),
    EntryKind.CREDIT_PAID: lazy_gettext("Credit paid out"),
    EntryKind.PAYOUT: lazy_gettext("Paid out to the bank"),
    EntryKind.UNKNOWN: lazy_gettext("Moved at the payment service"),
    EntryKind.EXPLAINED: lazy_gettext("Explained by hand"),
    EntryKind.SHARE: lazy_gettext("Share of a partner"),
    EntryKind.SHARE_BACK: lazy_gettext("Share taken back"),
    EntryKind.COLLECTED: lazy_gettext("Collected by a partner"),
    EntryKind.COLLECTED_BACK: lazy_gettext("Given back by a partner"),
    EntryKind.PARTNER_PAID: lazy_gettext("Paid to a partner"),
    EntryKind.PARTNER_PAYS: lazy_gettext("Paid by a partner"),
    EntryKind.FUND_PAID_IN: lazy_gettext("Paid into a scholarship fund"),
}


class Difference(StrEnum):
    """What kind of thing is not explained."""

    UNBALANCED = "entry does not sum to zero"
    SUM = "sum differs from its entries"
    CLOSED_MONTH = "closed month has changed"
    SALE = "order and sale differ"
    INVOICE = "invoice and sale differ"
    PAYMENT = "payment and entry differ"
    REFUND = "refund and entry differ"
    OWED = "paid order still owed"
    DEFERRED = "weeks to come and ledger differ"
    MOVEMENT = "money moved and not explained"
    NO_MOVEMENT = "payment service does not know it"
    PAYOUT = "payout is not the sum of its parts"
    CLEARING = "payment service and ledger differ"
    CREDIT = "credit and ledger differ"
    NOT_ENROLLED = "paid but not enrolled"
    NOT_PAID = "enrolled but not paid"
    BANK = "bank and ledger differ"
    SHARE = "share and agreement differ"
    COLLECTED = "partner and payment differ"
    FEE_NOT_USED = "fee paid and request not handed in"
    FEE_NOT_PAID = "request handed in and fee not paid"
    STATEMENT = "statement and accounts differ"
    FUND = "fund and ledger differ"
    RESERVE = "fund and awards differ"
    GRANT = "scholarship and sale differ"


DIFFERENCES: dict[str, LazyString] = {
    Difference.UNBALANCED: lazy_gettext("An entry does not sum to zero"),
    Difference.SUM: lazy_gettext("A sum is not what its entries say"),
    Difference.CLOSED_MONTH: lazy_gettext("A closed month has changed"),
    Difference.SALE: lazy_gettext("An order and its sale differ"),
    Difference.INVOICE: lazy_gettext("An invoice and its sale differ"),
    Difference.PAYMENT: lazy_gettext("A payment and its entry differ"),
    Difference.REFUND: lazy_gettext("A refund and its entry differ"),
    Difference.OWED: lazy_gettext("A paid order is still owed, or more came than was owed"),
    Difference.DEFERRED: lazy_gettext("Weeks still to come are not what the ledger holds for them"),
    Difference.MOVEMENT: lazy_gettext("Money moved at the payment service, and nobody knows why"),
    Difference.NO_MOVEMENT: lazy_gettext("The payment service does not know of this money"),
    Difference.PAYOUT: lazy_gettext("A payout is not the sum of its parts"),
    Difference.CLEARING: lazy_gettext("The payment service holds another amount than the ledger"),
    Difference.CREDIT: lazy_gettext("A buyer's credit is not what the ledger owes"),
    Difference.NOT_ENROLLED: lazy_gettext("Paid but not enrolled"),
    Difference.NOT_PAID: lazy_gettext("Enrolled but not paid"),
    Difference.BANK: lazy_gettext("The bank's files and the ledger differ"),
    Difference.FEE_NOT_USED: lazy_gettext("A fee was paid, and its request was not handed in"),
    Difference.FEE_NOT_PAID: lazy_gettext("A request went on, and its fee was not paid"),
    Difference.SHARE: lazy_gettext("A partner's share is not what the agreement says"),
    Difference.COLLECTED: lazy_gettext("What a partner collected is not what the buyers paid it"),
    Difference.STATEMENT: lazy_gettext("A partner's statement is not what its accounts say"),
    Difference.FUND: lazy_gettext("A scholarship fund holds another amount than the ledger"),
    Difference.RESERVE: lazy_gettext("A scholarship fund reserves another sum than its awards"),
    Difference.GRANT: lazy_gettext(
        "A scholarship paid another part of a sale than the ledger says"
    ),
}
