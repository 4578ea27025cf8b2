"""Pages of the room: registration, signing in, one's own account, administration."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("accounts", __name__, template_folder="../templates")
administration = Blueprint("administration", __name__, url_prefix="/admin")

from lms.accounts.views import (  # noqa: E402, F401
    account,
    registration,
    signing_in,
)
