"""What the room partners adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.core.events import Subscription
from lms.core.outbox import Job
from lms.core.web import NavigationEntry, Panel
from lms.hookspecs import hookimpl
from lms.ledger.checks import LedgerCheck
from lms.notifications.kinds import NotificationKind
from lms.partners import jobs as room_jobs
from lms.partners.collection_gateway import PartnerTransferGateway
from lms.partners.notices import KINDS
from lms.partners.panels import how_to_pay, profile_link
from lms.partners.permissions import PERMISSIONS
from lms.partners.services import collecting, sharing
from lms.partners.services.ledger_checks import CHECKS
from lms.partners.views import agreements, bp, collections, statements
from lms.payments.events import PaymentOpened, RefundAsked, SaleTakenBack, WeekEarned
from lms.payments.gateways.base import PaymentGateway

__all__ = ["agreements", "collections", "statements"]


@hookimpl
def blueprints() -> list[Blueprint]:
    """Agreements and statements."""
    return [bp]


@hookimpl
def subscriptions() -> list[Subscription]:
    """Shares follow weeks and sales; a partner is told what it has to send back."""
    return [
        Subscription(WeekEarned, sharing.share_week),
        Subscription(SaleTakenBack, sharing.take_back),
        Subscription(PaymentOpened, collecting.keep_collector),
        Subscription(RefundAsked, collecting.tell_of_refund),
    ]


@hookimpl
def payment_gateways() -> list[PaymentGateway]:
    """Paid to a partner, in the buyer's own country."""
    return [PartnerTransferGateway()]


@hookimpl
def jobs() -> list[Job]:
    """Shares that are missing."""
    return room_jobs.JOBS


@hookimpl
def permissions() -> list[Permission]:
    """Who may write, accept and read."""
    return PERMISSIONS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """Agreements to accept."""
    return KINDS


@hookimpl
def ledger_checks() -> list[LedgerCheck]:
    """Shares and statements agree with the ledger."""
    return CHECKS


@hookimpl
def panels() -> list[Panel]:
    """The way to shared income, for partners' managers; how to pay a partner."""
    return [
        Panel("partners.profile", "accounts.profile", profile_link, 30),
        Panel("partners.how_to_pay", "payments.how_to_pay", how_to_pay),
    ]


@hookimpl
def navigation() -> list[NavigationEntry]:
    """Partners, for administrators."""
    return [
        NavigationEntry(
            "admin_partners",
            lazy_gettext("Partners"),
            "partners.admin_agreements",
            "admin",
            33,
            shown=lambda: can("partners.administer"),
            also=("partners.",),
        )
    ]
