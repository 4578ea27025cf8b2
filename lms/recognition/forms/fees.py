"""The shape of fees for prior learning."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from lms.core.amounts import amount_text, read_amount
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.validators import SensibleDate
from lms.pricing.forms import TIER_LABELS
from lms.pricing.income_groups import LIST_TIER
from lms.recognition.models import EVERYBODY, PriorLearningFee
from lms.recognition.services.prior_learning import fees

TIERS = [EVERYBODY, *(tier for tier in TIER_LABELS if tier != LIST_TIER)]


class FeeForm(FlaskForm):  # type: ignore[misc]
    """What looking at a portfolio costs, by currency, for everybody and for tiers."""

    starts_on = DateField(
        lazy_gettext("First day"),
        [InputRequired(lazy_gettext("Choose a day.")), SensibleDate()],
        description=lazy_gettext("For requests that are opened from this day on."),
    )

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """Each tier with its fields, everybody first."""
        return [(tier, [self[_name(tier, code)] for code in _currencies()]) for tier in TIERS]

    def amounts(self) -> dict[str, dict[str, Money]]:
        """Tier -> currency -> amount; what is empty is left out. Raises ValidationError."""
        found: dict[str, dict[str, Money]] = {}
        for tier in TIERS:
            for code in _currencies():
                text = (self[_name(tier, code)].data or "").strip()
                if text:
                    found.setdefault(tier, {})[code] = _read(text, code)
        return found

    def validate(self, extra_validators: Any = None) -> bool:
        """Each amount is one; something is said for everybody; zero is zero in each currency."""
        is_valid = bool(super().validate(extra_validators))
        for tier, fields in self.groups:
            minor: set[bool] = set()
            for code, field in zip(_currencies(), fields, strict=True):
                try:
                    if (field.data or "").strip():
                        minor.add(bool(_read(field.data, code).minor))
                except ValidationError as refusal:
                    field.errors, is_valid = [str(refusal)], False
            if len(minor) == 2:
                fields[0].errors = [_("Write 0 in every currency, or in none.")]
                is_valid = False
            elif tier == EVERYBODY and not minor and is_valid:
                fields[0].errors = [_("Write an amount, or 0 for no fee.")]
                is_valid = False
        if self.starts_on.data and self.starts_on.data < fees.today():
            self.starts_on.errors = [_("Choose today or a later day.")]
            is_valid = False
        return is_valid


def _currencies() -> tuple[str, ...]:
    return settings().currencies


def _name(tier: str, code: str) -> str:
    return f"amount_{tier or 'all'}_{code}"


def _read(text: str, code: str) -> Money:
    """An amount, or nothing. Raises ValidationError."""
    return Money(0, code) if text.strip(" .,0") == "" else read_amount(text, code)


def fee_form(present: PriorLearningFee | None, today: date) -> FeeForm:
    """The form with the currencies of this site, and what holds now."""
    kept = {(one.tier, one.currency): one.amount for one in present.amounts} if present else {}
    fields: dict[str, Any] = {
        _name(tier, code): StringField(
            code,
            [Optional(), Length(max=30)],
            default=(amount_text(kept[tier, code]) if kept[tier, code].minor else "0")
            if (tier, code) in kept
            else None,
        )
        for tier in TIERS
        for code in _currencies()
    }
    made: FeeForm = type("FeeFormOfSite", (FeeForm,), fields)()
    if not made.is_submitted():
        made.starts_on.data = today
    return made


class WaiverForm(FlaskForm):  # type: ignore[misc]
    """Why somebody pays no fee."""

    reason = TextAreaField(
        lazy_gettext("Reason"),
        [DataRequired(lazy_gettext("Say why.")), Length(max=500)],
        description=lazy_gettext("It stands in the audit log."),
    )
