"""Pages of the room courses: one blueprint, one module for each group of pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("courses", "lms.courses", template_folder="templates")
