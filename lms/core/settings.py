"""The settings of the running app."""

from __future__ import annotations

from flask import current_app

from lms.config import Settings


def settings() -> Settings:
    """Settings with which the present app was made."""
    found: Settings = current_app.extensions["settings"]
    return found
