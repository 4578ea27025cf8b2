"""Reads of orders, payments and revenue.

get_* raises NotFound, find_* may return None, list_* returns a select.
"""

from lms.payments.queries.exceptions import (
    amount_differs,
    count_exceptions,
    enrolled_not_paid,
    failed_refunds,
    paid_not_enrolled,
    refunds_by_hand,
)
from lms.payments.queries.orders import (
    carries_enrolment,
    facts_for_messages,
    find_enrolment,
    find_open_order,
    find_order,
    find_payment,
    find_refund,
    get_order,
    get_payment,
    get_refund,
    get_run,
    get_voucher,
    kept_for,
    list_orders,
    list_orders_of,
    list_vouchers,
    payments_of,
    timeline,
)
from lms.payments.queries.revenue import (
    LedgerLine,
    RevenueRow,
    list_ledger,
    revenue,
)

__all__ = [
    "LedgerLine",
    "RevenueRow",
    "amount_differs",
    "carries_enrolment",
    "count_exceptions",
    "enrolled_not_paid",
    "facts_for_messages",
    "failed_refunds",
    "find_enrolment",
    "find_open_order",
    "find_order",
    "find_payment",
    "find_refund",
    "get_order",
    "get_payment",
    "get_refund",
    "get_run",
    "get_voucher",
    "kept_for",
    "list_ledger",
    "list_orders",
    "list_orders_of",
    "list_vouchers",
    "paid_not_enrolled",
    "payments_of",
    "refunds_by_hand",
    "revenue",
    "timeline",
]
