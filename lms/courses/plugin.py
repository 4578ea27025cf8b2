"""What the room courses adds to the house."""

from __future__ import annotations

from flask import Blueprint

from lms.accounts.permissions import Permission
from lms.courses import permissions as rules
from lms.courses.views import bp
from lms.hookspecs import hookimpl


@hookimpl
def blueprints() -> list[Blueprint]:
    """The pages of the room."""
    return [bp]


@hookimpl
def permissions() -> list[Permission]:
    """Who may see, enter, study and edit courses."""
    return rules.all_permissions()
