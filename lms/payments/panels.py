"""What payments shows on other rooms' pages."""

from __future__ import annotations

from typing import Any

from flask import render_template
from markupsafe import Markup


def settings_link(**values: Any) -> Markup:
    """The way from the settings of the site to those of selling."""
    return Markup(render_template("payments/admin/_settings_link.html"))  # noqa: S704
