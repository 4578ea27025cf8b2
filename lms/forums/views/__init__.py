"""Pages of forums; each module of this folder adds its routes to `bp`."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("forums", __name__, template_folder="../templates", url_prefix="/study/<int:run_id>")
