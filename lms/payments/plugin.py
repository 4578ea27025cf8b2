"""What the room payments adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.events import AccountDeclined, AccountTakenOver
from lms.accounts.permissions import Permission, can
from lms.core.events import Subscription
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel
from lms.courses.enrolment_methods.base import EnrolmentMethod
from lms.courses.events import CourseRunCancelled, EnrolmentEnded
from lms.hookspecs import hookimpl
from lms.ledger.checks import LedgerCheck, LedgerDocument
from lms.notifications.kinds import NotificationKind
from lms.payments import jobs as room_jobs
from lms.payments.demo_gateway import views as demo_views
from lms.payments.enrolment_methods import PaymentEnrolment, SeatEnrolment
from lms.payments.events import OrderPaid
from lms.payments.gateways.bank_transfer import BankTransferGateway
from lms.payments.gateways.base import PaymentGateway
from lms.payments.gateways.credit import CreditGateway
from lms.payments.gateways.invoice import InvoiceGateway
from lms.payments.gateways.stripe import StripeGateway
from lms.payments.ledger_documents import DOCUMENTS
from lms.payments.notices import KINDS
from lms.payments.panels import bought_for_claim, my_seats, seats_link, settings_link
from lms.payments.permissions import PERMISSIONS
from lms.payments.personal_data import BANK_DATA, CREDIT_DATA, PERSONAL_DATA, PLACES_DATA
from lms.payments.products import Product
from lms.payments.queries.cards import card_facts
from lms.payments.reports import REPORTS
from lms.payments.services import (
    bookkeeping,
    guests,
    places,
    refunds,
    seat_blocks,
    seat_notices,
    seats,
)
from lms.payments.services.bank_checks import CHECKS as BANK_CHECKS
from lms.payments.services.credit_checks import CHECKS as CREDIT_CHECKS
from lms.payments.services.ledger_checks import CHECKS
from lms.payments.services.movement_checks import CHECKS as MOVEMENT_CHECKS
from lms.payments.views import (
    administration,
    bank,
    baskets,
    bp,
    checkout,
    credits,
    guest_checkout,
    items,
    leaving,
    reconciliation,
    refund_policies,
    taking_seats,
    vouchers,
    webhooks,
)
from lms.payments.views import dues as due_views
from lms.payments.views import orders as order_views
from lms.payments.views import seats as seat_views
from lms.pricing.residence import ResidenceSource
from lms.reports.base import Report

__all__ = [
    "administration",
    "bank",
    "baskets",
    "checkout",
    "credits",
    "guest_checkout",
    "items",
    "leaving",
    "order_views",
    "reconciliation",
    "refund_policies",
    "seat_views",
    "taking_seats",
    "vouchers",
    "webhooks",
]


@hookimpl
def blueprints() -> list[Blueprint]:
    """Checkout, orders, webhooks and administration; the test payment page of the demo."""
    return [bp, demo_views.bp]


@hookimpl
def payment_gateways() -> list[PaymentGateway]:
    """Card, bank transfer, credit, and invoice for approved organisations."""
    return [StripeGateway(), BankTransferGateway(), CreditGateway(), InvoiceGateway()]


@hookimpl
def products() -> list[Product]:
    """Places in course runs, for oneself and for others."""
    return [places.PlaceInRun(), seat_blocks.SeatsInRun()]


@hookimpl
def residence_sources() -> list[ResidenceSource]:
    """Countries of the cards with which somebody paid."""
    return [ResidenceSource("cards", card_facts)]


@hookimpl
def enrolment_methods() -> list[EnrolmentMethod]:
    """Enrol by paying, or on a place that somebody else paid."""
    return [PaymentEnrolment(), SeatEnrolment()]


@hookimpl
def subscriptions() -> list[Subscription]:
    """Orders follow what happens with their runs and seats."""
    return [
        Subscription(CourseRunCancelled, refunds.refund_cancelled_run),
        Subscription(CourseRunCancelled, seat_notices.note_cancelled),
        Subscription(EnrolmentEnded, places.close_orders_of),
        Subscription(EnrolmentEnded, seats.free_seat_of),
        Subscription(OrderPaid, bookkeeping.book_free_sale),
        Subscription(OrderPaid, guests.ask_to_claim),
        Subscription(AccountTakenOver, guests.hand_over),
        Subscription(AccountDeclined, guests.give_back),
    ]


@hookimpl
def jobs() -> list[Job]:
    """Refunds, receipts, late payments, orders that are over."""
    return room_jobs.JOBS


@hookimpl
def permissions() -> list[Permission]:
    """Who may buy, see and administer."""
    return PERMISSIONS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """Receipts, instructions, failures, refunds."""
    return KINDS


@hookimpl
def personal_data() -> list[PersonalData]:
    """Orders of a person, places that they bought for others or sit on, what banks said of them."""
    return [PERSONAL_DATA, PLACES_DATA, CREDIT_DATA, BANK_DATA]


@hookimpl
def panels() -> list[Panel]:
    """Links of settings and runs; places others paid for; what opens a paused course."""
    return [
        Panel("payments.settings", "admin.settings", settings_link),
        Panel("payments.claim", "accounts.claim", bought_for_claim),
        Panel("payments.seats", "courses.course_runs", seats_link),
        Panel("payments.my_seats", "courses.my_timeline", my_seats),
        Panel("payments.paused", "courses.paused", due_views.paused_link),
        Panel("payments.plan", "courses.run_links", due_views.run_link),
    ]


@hookimpl
def reports() -> list[Report]:
    """The orders that were paid."""
    return REPORTS


@hookimpl
def ledger_checks() -> list[LedgerCheck]:
    """Orders, payments, refunds and places agree with the ledger."""
    return [*CHECKS, *MOVEMENT_CHECKS, *BANK_CHECKS, *CREDIT_CHECKS]


@hookimpl
def ledger_documents() -> list[LedgerDocument]:
    """Orders and runs, as the ledger's pages name them."""
    return DOCUMENTS


@hookimpl
def navigation() -> list[NavigationEntry]:
    """My orders, and the administrators' pages."""
    return [
        NavigationEntry(
            "orders",
            lazy_gettext("My orders"),
            "payments.my_orders",
            "account",
            25,
            also=("payments.show_order", "payments.my_blocks", "payments.show_block"),
        ),
        NavigationEntry(
            "basket",
            lazy_gettext("Basket"),
            "payments.basket",
            "account",
            24,
            also=("payments.show_purchase",),
        ),
        NavigationEntry(
            "admin_payments",
            lazy_gettext("Payments"),
            "payments.admin_orders",
            "admin",
            30,
            shown=lambda: can("payments.administer"),
            also=("payments.admin_", "payments.bank_"),
        ),
    ]
