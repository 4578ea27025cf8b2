"""Pages of the room: the association's desk, one's own hours."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("recognition", __name__, template_folder="../templates")

from lms.recognition.views import (  # noqa: E402, F401
    desk,
    endorsements,
    evidence,
    hours,
    members,
    prior_learning,
    published,
    rules,
)
