"""What the room scholarships adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.core.events import Subscription
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel
from lms.courses.events import CourseRunCancelled
from lms.hookspecs import hookimpl
from lms.ledger.checks import LedgerCheck, LedgerDocument
from lms.notifications.kinds import NotificationKind
from lms.scholarships import jobs as room_jobs
from lms.scholarships.ledger_documents import DOCUMENTS
from lms.scholarships.notices import KINDS
from lms.scholarships.panels import on_course_page
from lms.scholarships.permissions import PERMISSIONS
from lms.scholarships.personal_data import PERSONAL_DATA
from lms.scholarships.services.applications import end_for_cancelled_run
from lms.scholarships.services.ledger_checks import CHECKS
from lms.scholarships.views import administration, bp, learners, shared

__all__ = ["administration", "learners", "shared"]


@hookimpl
def blueprints() -> list[Blueprint]:
    """Applying, and the administration of funds."""
    return [bp]


@hookimpl
def permissions() -> list[Permission]:
    """Who may apply, see and decide."""
    return PERMISSIONS


@hookimpl
def jobs() -> list[Job]:
    """Awards that are past their last day."""
    return room_jobs.JOBS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """What waits for administrators; decisions and ends."""
    return KINDS


@hookimpl
def personal_data() -> list[PersonalData]:
    """Applications of a person."""
    return [PERSONAL_DATA]


@hookimpl
def subscriptions() -> list[Subscription]:
    """Nothing waits for a run that does not take place."""
    return [Subscription(CourseRunCancelled, end_for_cancelled_run)]


@hookimpl
def ledger_checks() -> list[LedgerCheck]:
    """Funds agree with the ledger and with their awards."""
    return CHECKS


@hookimpl
def ledger_documents() -> list[LedgerDocument]:
    """Funds, as the ledger's pages name them."""
    return DOCUMENTS


@hookimpl
def panels() -> list[Panel]:
    """The way from a course to applying."""
    return [Panel("scholarships.course", "courses.course_page", on_course_page, order=40)]


@hookimpl
def navigation() -> list[NavigationEntry]:
    """My scholarships, and the administrators' pages."""
    return [
        NavigationEntry(
            "scholarships",
            lazy_gettext("Scholarships"),
            "scholarships.my_applications",
            "account",
            26,
            also=("scholarships.application", "scholarships.apply"),
        ),
        NavigationEntry(
            "admin_scholarships",
            lazy_gettext("Scholarships"),
            "scholarships.admin_applications",
            "admin",
            31,
            shown=lambda: can("scholarships.administer"),
            also=("scholarships.admin_",),
        ),
    ]
