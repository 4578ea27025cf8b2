"""The shape of what people type about scholarships."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    ValidationError,
)
from wtforms.widgets import CheckboxInput

from lms.config import LANGUAGES
from lms.core.amounts import read_amount
from lms.core.choices import choices
from lms.core.db import ByLanguage
from lms.core.money import Money
from lms.core.places import country_choices
from lms.core.settings import settings
from lms.core.text import in_language
from lms.core.validators import SensibleDate
from lms.directory.models import Organisation
from lms.pricing.forms import TIER_LABELS
from lms.scholarships.criteria import Criteria
from lms.scholarships.models import Application, Fund
from lms.scholarships.queries import today
from lms.scholarships.services.funds import FundTerms

_DAY = lazy_gettext("Choose a day.")
AWARD_HOLDS_FOR = timedelta(days=30)


class ActionForm(FlaskForm):  # type: ignore[misc]
    """A button that changes something: only the protection against forged requests."""


class ApplicationForm(FlaskForm):  # type: ignore[misc]
    """Which fund, how much, and why."""

    fund = RadioField(lazy_gettext("Fund"), [InputRequired(lazy_gettext("Choose a fund."))])
    percent = RadioField(
        lazy_gettext("How much you ask for"),
        [InputRequired(lazy_gettext("Choose how much you ask for."))],
    )
    statement = TextAreaField(
        lazy_gettext("Why you apply"),
        [
            DataRequired(lazy_gettext("Write a few sentences: who you are and why you apply.")),
            Length(max=2000),
        ],
        description=lazy_gettext(
            "A few sentences are enough. Only the administrators who decide read them."
        ),
    )

    def __init__(self, funds: Sequence[Fund], offered: dict[str, list[int]]) -> None:
        super().__init__()
        self.offered = offered
        self.fund.choices = choices([(fund.key, in_language(fund.name)) for fund in funds])
        percents = sorted({percent for given in offered.values() for percent in given})
        self.percent.choices = choices(
            [(str(one), _("%(number)s%% of the price", number=one)) for one in percents]
        )
        if not self.is_submitted():
            if len(funds) == 1:
                self.fund.data = funds[0].key
            if len(percents) == 1:
                self.percent.data = str(percents[0])

    def validate_percent(self, field: RadioField) -> None:
        """One that the chosen fund gives."""
        given = self.offered.get(self.fund.data or "", [])
        if given and int(field.data) not in given:
            raise ValidationError(
                _("This fund gives: %(percents)s.", percents=", ".join(f"{one}%" for one in given))
            )


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """What is awarded, until when it can be used, and what the learner reads."""

    decision = RadioField(
        lazy_gettext("Decision"), [InputRequired(lazy_gettext("Choose one of these."))]
    )
    percent = SelectField(lazy_gettext("Award"))
    expires_on = DateField(
        lazy_gettext("Last day to use it"),
        [Optional(), SensibleDate()],
        description=lazy_gettext("After it the money is free for others."),
    )
    answer = TextAreaField(
        lazy_gettext("Answer to the learner"),
        [Optional(), Length(max=2000)],
        description=lazy_gettext("It goes into the mail. Say why, when you decline."),
    )

    def __init__(self, application: Application) -> None:
        super().__init__()
        self.decision.choices = choices([("award", _("Award")), ("decline", _("Decline"))])
        self.percent.choices = choices([(str(one), f"{one}%") for one in application.fund.percents])
        if not self.is_submitted():
            self.percent.data = str(application.asked_percent)
            self.expires_on.data = min(today() + AWARD_HOLDS_FOR, application.run.ends_on)

    def validate(self, extra_validators: Any = None) -> bool:
        """An award needs a day that is not over; who is declined reads why."""
        is_valid = bool(super().validate(extra_validators))
        last_day = self.expires_on.data
        refused: tuple[Field, str] | None = None
        if self.decision.data == "award" and not self.expires_on.errors:
            if last_day is None:
                refused = self.expires_on, str(_DAY)
            elif last_day < today():
                refused = self.expires_on, _("Choose a day that is not over.")
        if self.decision.data == "decline" and not (self.answer.data or "").strip():
            refused = self.answer, _("Write why, so that the learner knows what to do next.")
        if refused:
            refused[0].errors = [refused[1]]
        return is_valid and not refused


class TakeBackForm(FlaskForm):  # type: ignore[misc]
    """Why an award is taken back."""

    answer = TextAreaField(
        lazy_gettext("Why you take it back"),
        [DataRequired(lazy_gettext("Write why; the learner reads it.")), Length(max=2000)],
    )


class PayInForm(FlaskForm):  # type: ignore[misc]
    """Money that a donor sent."""

    received_on = DateField(
        lazy_gettext("Day on which it came in"), [InputRequired(_DAY), SensibleDate()]
    )
    amount = StringField(
        lazy_gettext("Amount"), [InputRequired(lazy_gettext("Write the amount.")), Length(max=30)]
    )
    reference = StringField(
        lazy_gettext("Reference of the bank"),
        [DataRequired(lazy_gettext("Write the bank’s reference.")), Length(max=100)],
    )

    def validate_received_on(self, field: DateField) -> None:
        """Money that has come in."""
        if field.data and field.data > today():
            raise ValidationError(_("This day is still to come."))

    def money(self, currency: str) -> Money | None:
        """What was typed; an error of its field when it is no amount."""
        try:
            return read_amount(self.amount.data or "", currency)
        except ValidationError as refusal:
            self.amount.errors = [str(refusal)]
            return None


class FundForm(FlaskForm):  # type: ignore[misc]
    """A fund: whose money, for whom, how much of a price."""

    key = StringField(
        lazy_gettext("Short name in the ledger"),
        [
            DataRequired(lazy_gettext("Write a short name.")),
            Length(max=40),
            Regexp(
                r"^[a-z0-9]+(-[a-z0-9]+)*$",
                message=lazy_gettext("Use small letters, digits and hyphens only."),
            ),
        ],
        description=lazy_gettext("Small letters, digits and hyphens. It cannot be changed later."),
    )
    currency = SelectField(
        lazy_gettext("Currency"),
        description=lazy_gettext(
            "The fund pays prices in this currency; nothing is converted. It cannot be changed"
            " later."
        ),
    )
    donor = StringField(
        lazy_gettext("Donor"),
        [DataRequired(lazy_gettext("Write who gave the money.")), Length(max=200)],
    )
    shows_donor = BooleanField(
        lazy_gettext("Show the donor’s name to everybody"),
        description=lazy_gettext("Without it, only administrators see who gave the money."),
    )
    percents = StringField(
        lazy_gettext("Percentages that can be awarded"),
        [DataRequired(lazy_gettext("Write at least one percentage.")), Length(max=60)],
        description=lazy_gettext("With commas between them, such as 50, 75, 100."),
    )
    opens_on = DateField(
        lazy_gettext("First day for applications"), [InputRequired(_DAY), SensibleDate()]
    )
    closes_on = DateField(lazy_gettext("Last day for applications"), [Optional(), SensibleDate()])
    countries = SelectMultipleField(lazy_gettext("Countries"), [Optional()])
    tiers = SelectMultipleField(lazy_gettext("Tiers"), [Optional()], option_widget=CheckboxInput())
    organisations = SelectMultipleField(lazy_gettext("People of these organisations"), [Optional()])
    scopes = SelectMultipleField(lazy_gettext("Courses and course runs"), [Optional()])
    least_hours = IntegerField(
        lazy_gettext("Hours of work in the course, at least"), [Optional(), NumberRange(0, 1000)]
    )

    def offer(
        self, organisations: Sequence[Organisation], scopes: Sequence[tuple[str, str]]
    ) -> None:
        """Fill in the choices that there are now. scopes: as `scope_choices` gives them."""
        self.currency.choices = choices([(code, code) for code in settings().currencies])
        self.countries.choices = choices(country_choices())
        self.tiers.choices = choices([(str(k), str(text)) for k, text in TIER_LABELS.items()])
        self.organisations.choices = choices(
            [(str(one.id), in_language(one.name)) for one in organisations]
        )
        self.scopes.choices = choices(scopes)

    def show(self, fund: Fund) -> None:
        """Fill in what the fund is."""
        found = fund.criteria
        self.donor.data, self.shows_donor.data = fund.donor, fund.shows_donor
        self.percents.data = ", ".join(str(one) for one in fund.percents)
        self.opens_on.data, self.closes_on.data = fund.opens_on, fund.closes_on
        self.countries.data, self.tiers.data = list(found.countries), list(found.tiers)
        self.organisations.data = [str(one) for one in found.organisations]
        self.scopes.data = [f"course:{one}" for one in found.courses]
        self.scopes.data += [f"run:{one}" for one in found.runs]
        self.least_hours.data = found.least_hours or None
        for code in LANGUAGES:
            self[f"name_{code}"].data = fund.name.get(code, "")
            self[f"description_{code}"].data = fund.description.get(code, "")

    def keep(self, fund: Fund) -> None:
        """Leave out what cannot be changed any more, and offer what the fund names already."""
        del self.key, self.currency
        known = {value for value, *_rest in self.scopes.iter_choices()}
        gone = [one for one in _scopes(fund.criteria) if one not in known]
        self.scopes.choices = [*(self.scopes.choices or ()), *choices(_labels(gone))]

    def validate_percents(self, field: StringField) -> None:
        """Whole numbers from 1 to 100."""
        if not self.chosen_percents():
            raise ValidationError(_("Write whole numbers from 1 to 100, with commas between them."))

    def validate_closes_on(self, field: DateField) -> None:
        """Not before the first day."""
        if field.data and self.opens_on.data and field.data < self.opens_on.data:
            raise ValidationError(_("The last day comes before the first."))

    def chosen_percents(self) -> tuple[int, ...]:
        """The percentages that were typed; none where something typed is no percentage."""
        typed = [one.strip() for one in (self.percents.data or "").split(",") if one.strip()]
        found = {int(one) for one in typed if re.fullmatch(r"[0-9]{1,3}", one)}
        is_right = len(found) == len(set(typed)) and all(1 <= one <= 100 for one in found)
        return tuple(sorted(found)) if is_right else ()

    def terms(self) -> FundTerms:
        """What was typed."""
        assert self.opens_on.data is not None
        chosen = [one.partition(":") for one in self.scopes.data or ()]
        return FundTerms(
            name=self._by_language("name"),
            description=self._by_language("description"),
            donor=(self.donor.data or "").strip(),
            shows_donor=bool(self.shows_donor.data),
            criteria=Criteria(
                countries=tuple(self.countries.data or ()),
                tiers=tuple(self.tiers.data or ()),
                organisations=tuple(int(one) for one in self.organisations.data or ()),
                courses=tuple(int(number) for kind, _s, number in chosen if kind == "course"),
                runs=tuple(int(number) for kind, _s, number in chosen if kind == "run"),
                least_hours=self.least_hours.data or 0,
            ),
            percents=self.chosen_percents(),
            opens_on=self.opens_on.data,
            closes_on=self.closes_on.data,
        )

    def _by_language(self, name: str) -> ByLanguage:
        written = {code: (self[f"{name}_{code}"].data or "").strip() for code in LANGUAGES}
        return {code: text for code, text in written.items() if text}


def _scopes(criteria: Criteria) -> list[str]:
    courses = [f"course:{one}" for one in criteria.courses]
    return courses + [f"run:{one}" for one in criteria.runs]


def _labels(scopes: Sequence[str]) -> list[tuple[str, str]]:
    """Courses and runs that are over, in words."""
    return [(one, _("No longer on sale: %(what)s", what=one)) for one in scopes]


for _code, _name in LANGUAGES.items():
    _needed: list[Any] = [Optional()]
    if _code == "en":
        _needed = [DataRequired(lazy_gettext("Write it in English; other languages can follow."))]
    setattr(FundForm, f"name_{_code}", StringField(_name, [*_needed, Length(max=120)]))
    setattr(FundForm, f"description_{_code}", TextAreaField(_name, [*_needed, Length(max=1000)]))
