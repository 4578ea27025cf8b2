"""Pages of the room assessments: one blueprint, one module for each group of pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("assessments", "lms.assessments", template_folder="templates")
