"""The pages of cost recovery."""

from __future__ import annotations

from datetime import date

from flask import Blueprint

bp = Blueprint("recovery", __name__, template_folder="../templates")


@bp.app_template_filter("iso_date")
def iso_date(text: str) -> date:
    """A day in the values of a notice."""
    return date.fromisoformat(text)
