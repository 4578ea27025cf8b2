"""What the room invoicing adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry
from lms.hookspecs import hookimpl
from lms.invoicing import jobs as room_jobs
from lms.invoicing.notices import KINDS
from lms.invoicing.permissions import PERMISSIONS
from lms.invoicing.personal_data import PERSONAL_DATA
from lms.invoicing.views import bp, invoices, sellers, tax_rows
from lms.notifications.kinds import NotificationKind

__all__ = ["invoices", "sellers", "tax_rows"]


@hookimpl
def blueprints() -> list[Blueprint]:
    """Invoices, sellers, tax rows, the tax sheet."""
    return [bp]


@hookimpl
def permissions() -> list[Permission]:
    """Who may read and administer."""
    return PERMISSIONS


@hookimpl
def jobs() -> list[Job]:
    """Drawing documents, and the look at the threshold."""
    return room_jobs.JOBS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """A warning before tax must be charged."""
    return KINDS


@hookimpl
def personal_data() -> list[PersonalData]:
    """Invoices of a person."""
    return [PERSONAL_DATA]


@hookimpl
def navigation() -> list[NavigationEntry]:
    """Invoices, for administrators."""
    return [
        NavigationEntry(
            "admin_invoicing",
            lazy_gettext("Invoices"),
            "invoicing.invoices",
            "admin",
            31,
            shown=lambda: can("invoicing.administer"),
            also=("invoicing.",),
        )
    ]
