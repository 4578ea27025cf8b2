"""What the room reports adds to the house."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission, may, present_user
from lms.core.web import NavigationEntry, Panel
from lms.hookspecs import hookimpl
from lms.reports.base import reports
from lms.reports.views import bp, key_figures


@hookimpl
def blueprints() -> list[Blueprint]:
    """The pages of the room."""
    return [bp]


def _has_a_report(user: User, subject: Any) -> bool:
    return any(may(user, report.permission) for report in reports.values())


@hookimpl
def permissions() -> list[Permission]:
    """Who may read reports: administrators all, others those whose own permission allows it."""
    return [
        Permission("reports.read", lazy_gettext("Read all reports")),
        Permission("reports.open", lazy_gettext("Open the list of reports"), _has_a_report),
    ]


def _is_administrator() -> bool:
    user = present_user()
    return user is not None and user.is_administrator


@hookimpl
def navigation() -> list[NavigationEntry]:
    """Reports, for administrators."""
    return [
        NavigationEntry(
            "admin_reports",
            lazy_gettext("Reports"),
            "reports.overview",
            "admin",
            5,
            _is_administrator,
            also=("reports.",),
        )
    ]


@hookimpl
def panels() -> list[Panel]:
    """Key figures on the administrators' first page."""
    return [Panel("report_figures", "admin.home", key_figures, order=10)]
