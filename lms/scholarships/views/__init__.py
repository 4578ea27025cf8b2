"""Pages for learners who apply and for administrators who keep funds and decide."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("scholarships", __name__, template_folder="../templates")
