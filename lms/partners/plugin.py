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
from lms.partners.notices import KINDS
from lms.partners.panels import profile_link
from lms.partners.permissions import PERMISSIONS
from lms.partners.services import sharing
from lms.partners.services.ledger_checks import CHECKS
from lms.partners.views import agreements, bp, statements
from lms.payments.events import SaleTakenBack, WeekEarned

__all__ = ["agreements", "statements"]


@hookimpl
def blueprints() -> list[Blueprint]:
    """Agreements and statements."""
    return [bp]


@hookimpl
def subscriptions() -> list[Subscription]:
    """Shares are earned with the weeks, and taken back with the sales."""
    return [
        Subscription(WeekEarned, sharing.share_week),
        Subscription(SaleTakenBack, sharing.take_back),
    ]


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
    """The way to shared income, on the profile of partners' managers."""
    return [Panel("partners.profile", "accounts.profile", profile_link, 30)]


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
