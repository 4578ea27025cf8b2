"""What the room recovery adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry
from lms.hookspecs import hookimpl
from lms.notifications.kinds import NotificationKind
from lms.recovery import jobs as room_jobs
from lms.recovery.notices import KINDS
from lms.recovery.permissions import PERMISSIONS, READ
from lms.recovery.personal_data import PERSONAL_DATA
from lms.recovery.reports import REPORTS
from lms.recovery.views import bp, glance, runs, sharing
from lms.reports.base import Report

__all__ = ["glance", "runs", "sharing"]


@hookimpl
def blueprints() -> list[Blueprint]:
    """The pages of cost recovery."""
    return [bp]


@hookimpl
def jobs() -> list[Job]:
    """Decisions that are due, learners of a moved run."""
    return room_jobs.JOBS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """A decision is due; a run was moved."""
    return KINDS


@hookimpl
def personal_data() -> list[PersonalData]:
    """Reports by mail, answers about a moved run."""
    return [PERSONAL_DATA]


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
