"""Pages of the room: registration, signing in, one's own account, administration."""

from __future__ import annotations

from flask import Blueprint

from lms.core.places import country_name

bp = Blueprint("accounts", __name__, template_folder="../templates")
administration = Blueprint("administration", __name__, url_prefix="/admin")

bp.add_app_template_filter(country_name, "country")

from lms.accounts.views import (  # noqa: E402, F401
    account,
    claiming,
    operations,
    people,
    registration,
    second_factor,
    signing_in,
    site_settings,
)
