"""What the room courses adds to the house."""

from __future__ import annotations

from flask import Blueprint

from lms.courses.views import bp
from lms.hookspecs import hookimpl


@hookimpl
def blueprints() -> list[Blueprint]:
    """The pages of the room."""
    return [bp]
