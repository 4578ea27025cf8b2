"""What the room ledger adds to the house."""

from __future__ import annotations

import click
from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.core.outbox import Job
from lms.core.web import NavigationEntry
from lms.hookspecs import hookimpl
from lms.ledger import jobs as room_jobs
from lms.ledger.checks import LedgerCheck
from lms.ledger.commands import ledger_group
from lms.ledger.notices import KINDS
from lms.ledger.permissions import PERMISSIONS
from lms.ledger.services.check import CHECKS
from lms.ledger.views import bp
from lms.notifications.kinds import NotificationKind


@hookimpl
def blueprints() -> list[Blueprint]:
    """Balances, entries, months."""
    return [bp]


@hookimpl
def commands() -> list[click.Command]:
    """`lms ledger`."""
    return [ledger_group]


@hookimpl
def permissions() -> list[Permission]:
    """Who may read and close."""
    return PERMISSIONS


@hookimpl
def jobs() -> list[Job]:
    """Counting, and the nightly check."""
    return room_jobs.JOBS


@hookimpl
def ledger_checks() -> list[LedgerCheck]:
    """Entries, sums and closed months agree with each other."""
    return CHECKS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """What the nightly check found."""
    return KINDS


@hookimpl
def navigation() -> list[NavigationEntry]:
    """The ledger, for administrators."""
    return [
        NavigationEntry(
            "admin_ledger",
            lazy_gettext("Ledger"),
            "ledger.balances",
            "admin",
            32,
            shown=lambda: can("ledger.read"),
            also=("ledger.",),
        )
    ]
