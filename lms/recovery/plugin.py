"""What the room recovery adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.core.web import NavigationEntry
from lms.hookspecs import hookimpl
from lms.recovery.permissions import PERMISSIONS, READ
from lms.recovery.reports import REPORTS
from lms.recovery.views import bp, glance
from lms.reports.base import Report

__all__ = ["glance"]


@hookimpl
def blueprints() -> list[Blueprint]:
    """The pages of cost recovery."""
    return [bp]


@hookimpl
def permissions() -> list[Permission]:
    """Who may read and decide."""
    return PERMISSIONS


@hookimpl
def reports() -> list[Report]:
    """Invoiced, earned and collected, and what stands beside them."""
    return REPORTS


@hookimpl
def navigation() -> list[NavigationEntry]:
    """Cost recovery, for administrators."""
    return [
        NavigationEntry(
            "admin_recovery",
            lazy_gettext("Cost recovery"),
            "recovery.glance",
            "admin",
            6,
            shown=lambda: can(READ),
            also=("recovery.",),
        )
    ]
