"""What the room pricing adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.core.events import Subscription
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel
from lms.courses.events import CourseRunCopied
from lms.hookspecs import hookimpl
from lms.notifications.kinds import NotificationKind
from lms.pricing import jobs as room_jobs
from lms.pricing.notices import KINDS
from lms.pricing.permissions import PERMISSIONS
from lms.pricing.personal_data import PERSONAL_DATA
from lms.pricing.services.amounts import copy_amounts
from lms.pricing.views import administration, amounts, bp, policy, residence, shared

__all__ = ["administration", "policy", "residence", "shared"]


@hookimpl
def blueprints() -> list[Blueprint]:
    """The policy page and the administration of prices."""
    return [bp]


@hookimpl
def permissions() -> list[Permission]:
    """Who may set prices."""
    return PERMISSIONS


@hookimpl
def jobs() -> list[Job]:
    """Telling of runs in which some people find no price."""
    return room_jobs.JOBS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """What waits for administrators; decisions on proofs."""
    return KINDS


@hookimpl
def personal_data() -> list[PersonalData]:
    """Proofs, questions and quotes of a person."""
    return [PERSONAL_DATA]


@hookimpl
def panels() -> list[Panel]:
    """The way from a run to its prices, and from the catalogue to who pays what."""
    return [
        Panel("pricing.run", "courses.run_links", amounts.run_link),
        Panel("pricing.catalogue", "courses.catalogue", policy.catalogue_link),
    ]


@hookimpl
def subscriptions() -> list[Subscription]:
    """A run that is planned like another one costs the same."""
    return [Subscription(CourseRunCopied, copy_amounts)]


@hookimpl
def navigation() -> list[NavigationEntry]:
    """The policy in the footer, and the administrators' page."""
    return [
        NavigationEntry("prices", lazy_gettext("Who pays what"), "pricing.policy", "footer", 40),
        NavigationEntry(
            "admin_prices",
            lazy_gettext("Prices"),
            "pricing.admin_tiers",
            "admin",
            29,
            shown=lambda: can("pricing.administer"),
            also=("pricing.admin_",),
        ),
    ]
