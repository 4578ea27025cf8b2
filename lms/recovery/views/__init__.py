"""The pages of cost recovery."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("recovery", __name__, template_folder="../templates")
