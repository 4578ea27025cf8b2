"""Forms of the notifications room."""

from __future__ import annotations

from flask_wtf import FlaskForm


class ActionForm(FlaskForm):  # type: ignore[misc]
    """A button that changes something: only the protection against forged requests."""
