"""What forms of several rooms check."""

from __future__ import annotations

from datetime import date

from wtforms import Field
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

_FIRST_YEAR, _LAST_YEAR = 2000, 2200
_NOT_VALID = "Not a valid date value."  # translated by WTForms


class SensibleDate:
    """A day or moment that people plan for: no calendar ends between it and its neighbours.

    Browsers take years from 1 to 275760; days at the ends of Python's calendar cannot be moved
    into other time zones.
    """

    def __call__(self, form: BaseForm, field: Field) -> None:
        """Refuse years that are typing errors."""
        day: date | None = field.data
        if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise ValidationError(field.gettext(_NOT_VALID))
