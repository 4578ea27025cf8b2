"""Pages of the room certificates: one blueprint, one module for each group of pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("certificates", "lms.certificates", template_folder="templates")
