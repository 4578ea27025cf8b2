"""Pages of the room: organisations for everybody, their administration, one's memberships."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("directory", __name__, template_folder="../templates")

from lms.directory.views import administration, memberships, organisations  # noqa: E402, F401
