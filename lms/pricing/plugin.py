"""What the room pricing adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.core.web import NavigationEntry
from lms.hookspecs import hookimpl
from lms.pricing.permissions import PERMISSIONS
from lms.pricing.views import administration, bp, policy

__all__ = ["administration", "policy"]


@hookimpl
def blueprints() -> list[Blueprint]:
    """The policy page and the administration of prices."""
    return [bp]


@hookimpl
def permissions() -> list[Permission]:
    """Who may set prices."""
    return PERMISSIONS


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
