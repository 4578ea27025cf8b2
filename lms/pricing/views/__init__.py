"""The policy page, and the administration of prices."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("pricing", __name__, template_folder="../templates")
