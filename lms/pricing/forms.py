"""The shape of what people type about prices."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectField, TextAreaField
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from lms.config import LANGUAGES
from lms.core.choices import choices
from lms.core.db import ByLanguage
from lms.core.places import country_choices
from lms.core.validators import SensibleDate
from lms.pricing import queries
from lms.pricing.income_groups import IncomeGroup

NO_PAYMENT = "none"
TIER_LABELS = {
    IncomeGroup.HIGH: lazy_gettext("High income"),
    IncomeGroup.UPPER_MIDDLE: lazy_gettext("Upper middle income"),
    IncomeGroup.LOWER_MIDDLE: lazy_gettext("Lower middle income"),
    IncomeGroup.LOW: lazy_gettext("Low income"),
}


class ActionForm(FlaskForm):  # type: ignore[misc]
    """A button that changes something: only the protection against forged requests."""


class TiersForm(FlaskForm):  # type: ignore[misc]
    """What each tier pays, in percent of the list price."""

    upper_middle = IntegerField(
        TIER_LABELS[IncomeGroup.UPPER_MIDDLE], [InputRequired(), NumberRange(1, 100)]
    )
    lower_middle = IntegerField(
        TIER_LABELS[IncomeGroup.LOWER_MIDDLE], [InputRequired(), NumberRange(1, 100)]
    )
    low = IntegerField(TIER_LABELS[IncomeGroup.LOW], [InputRequired(), NumberRange(1, 100)])

    def percents(self) -> dict[str, int]:
        """Tier -> percent."""
        return {
            name: int(self[name].data)
            for name in (IncomeGroup.UPPER_MIDDLE, IncomeGroup.LOWER_MIDDLE, IncomeGroup.LOW)
        }

    def validate(self, extra_validators: Any = None) -> bool:
        """Whoever earns less never pays more."""
        if not super().validate(extra_validators):
            return False
        values = list(self.percents().values())
        if values != sorted(values, reverse=True):
            self.low.errors = [_("A tier with less income cannot pay more than the one above it.")]
            return False
        return True


class ExceptionForm(FlaskForm):  # type: ignore[misc]
    """A country that goes by another tier, and why."""

    country = SelectField(
        lazy_gettext("Country"), [DataRequired(lazy_gettext("Choose a country."))]
    )
    tier = SelectField(lazy_gettext("Pays as"))
    valid_from = DateField(
        lazy_gettext("First day"), [InputRequired(lazy_gettext("Choose a day.")), SensibleDate()]
    )
    valid_until = DateField(lazy_gettext("Last day"), [Optional(), SensibleDate()])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.country.choices = choices([("", _("Choose a country")), *country_choices()])
        self.tier.choices = choices(
            [
                *((str(name), str(label)) for name, label in TIER_LABELS.items()),
                (NO_PAYMENT, _("Nobody there can pay")),
            ]
        )
        if not self.is_submitted():
            self.valid_from.data = queries.today()

    def validate_valid_until(self, field: DateField) -> None:
        """Not before the first day."""
        if field.data and self.valid_from.data and field.data < self.valid_from.data:
            raise ValidationError(_("The last day comes before the first."))

    def chosen_tier(self) -> str | None:
        """The tier, None when nobody there can pay."""
        return None if self.tier.data == NO_PAYMENT else str(self.tier.data)

    def reason(self) -> ByLanguage:
        """The reason in the languages in which it was written."""
        written = {code: (self[f"reason_{code}"].data or "").strip() for code in LANGUAGES}
        return {code: text for code, text in written.items() if text}


for _code, _name in LANGUAGES.items():
    setattr(
        ExceptionForm,
        f"reason_{_code}",
        TextAreaField(
            _name,
            [
                DataRequired(lazy_gettext("Write the reason; everybody can read it."))
                if _code == "en"
                else Optional(),
                Length(max=500),
            ],
        ),
    )
