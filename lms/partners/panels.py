"""What the room shows on pages of others."""

from __future__ import annotations

from typing import Any

from flask import render_template
from markupsafe import Markup

from lms.accounts.models import User
from lms.partners import queries


def profile_link(user: User, **values: Any) -> Markup | None:
    """The way to their institution's shares, for managers of partners."""
    if not queries.manages_a_partner(user):
        return None
    return Markup(render_template("partners/_profile.html"))  # noqa: S704
