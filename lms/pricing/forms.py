"""The shape of what people type about prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from lms.config import LANGUAGES
from lms.core.amounts import amount_text, read_amount
from lms.core.choices import choices
from lms.core.db import ByLanguage
from lms.core.money import Money
from lms.core.places import country_choices
from lms.core.settings import settings
from lms.core.text import in_language
from lms.core.validators import SensibleDate
from lms.courses.models import CourseRun
from lms.directory.models import Organisation
from lms.pricing import queries
from lms.pricing.currencies import propose
from lms.pricing.income_groups import LIST_TIER, IncomeGroup
from lms.pricing.models import PriceTier
from lms.pricing.scopes import says_reduction
from lms.pricing.services.contracts import ContractTerms

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
    floor_percent = IntegerField(
        lazy_gettext("Lowest price after reductions, in percent of the price for the buyer"),
        [InputRequired(), NumberRange(0, 100)],
        description=lazy_gettext("0 for none. A reduction that covers the whole price still does."),
    )

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


class ProposeForm(FlaskForm):  # type: ignore[misc]
    """The list price in a currency, from which amounts of the tiers are proposed."""

    class Meta:
        csrf = False  # asks only

    currency = SelectField(lazy_gettext("Currency"))
    amount = StringField(
        lazy_gettext("List price in this currency"),
        [InputRequired(lazy_gettext("Write the list price.")), Length(max=30)],
    )
    early = BooleanField(lazy_gettext("Amounts for early buyers"))

    def __init__(self, run: CourseRun, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = dict.fromkeys([run.price.currency, *settings().currencies])
        self.currency.choices = choices([(code, code) for code in codes])

    def list_price(self) -> Money | None:
        """What was typed; an error of its field when it is no amount."""
        try:
            return read_amount(self.amount.data or "", str(self.currency.data))
        except ValidationError as refusal:
            self.amount.errors = [str(refusal)]
            return None


class AmountsForm(FlaskForm):  # type: ignore[misc]
    """What each tier pays in one currency, from a day on."""

    starts_on = DateField(
        lazy_gettext("First day"),
        [Optional(), SensibleDate()],
        description=lazy_gettext("On the clock of the run. At once when empty."),
    )
    early_until = DateField(
        lazy_gettext("Last day for early buyers"),
        [Optional(), SensibleDate()],
        description=lazy_gettext("On the clock of the run."),
    )

    def __init__(
        self, run: CourseRun, tiers: Sequence[PriceTier], currency: str, is_early: bool
    ) -> None:
        super().__init__()
        self.currency, self.is_early = currency, is_early
        self.stores = [
            tier.name
            for tier in tiers
            if is_early or tier.name != LIST_TIER or currency != run.price.currency
        ]

    def propose(self, list_price: Money, tiers: Sequence[PriceTier]) -> None:
        """Fill in what the percentages come to."""
        for tier in tiers:
            self[f"amount_{tier.name}"].data = amount_text(propose(list_price, tier.percent))

    def amounts(self) -> dict[str, Money]:
        """Tier -> amount; empty fields are left out. Raises ValidationError."""
        typed = {name: (self[f"amount_{name}"].data or "").strip() for name in self.stores}
        return {name: read_amount(text, self.currency) for name, text in typed.items() if text}

    def validate(self, extra_validators: Any = None) -> bool:
        """Each amount is one, and early buyers have a last day."""
        is_valid = bool(super().validate(extra_validators))
        for name in self.stores:
            field = self[f"amount_{name}"]
            try:
                if (field.data or "").strip():
                    read_amount(field.data, self.currency)
            except ValidationError as refusal:
                field.errors = [str(refusal)]
                is_valid = False
        if not any((self[f"amount_{name}"].data or "").strip() for name in self.stores):
            self[f"amount_{self.stores[0]}"].errors = [_("Write at least one amount.")]
            is_valid = False
        if self.is_early and self.early_until.data is None and not self.early_until.errors:
            self.early_until.errors = [_("Choose the last day for early buyers.")]
            is_valid = False
        first: date | None = self.starts_on.data
        if first and self.early_until.data and self.early_until.data < first:
            self.early_until.errors = [_("The last day comes before the first.")]
            is_valid = False
        return is_valid


for _tier, _label in TIER_LABELS.items():
    setattr(AmountsForm, f"amount_{_tier}", StringField(_label, [Optional(), Length(max=30)]))


class ChoiceForm(FlaskForm):  # type: ignore[misc]
    """A run in which people choose what they pay."""

    minimum_percent = IntegerField(
        lazy_gettext("The least, in percent of the price"), [InputRequired(), NumberRange(0, 100)]
    )
    suggested_percent = IntegerField(
        lazy_gettext("Suggested, in percent of the price"),
        [InputRequired(), NumberRange(1, 200)],
        default=100,
    )

    def validate_suggested_percent(self, field: IntegerField) -> None:
        """Not below the least."""
        if field.data is not None and field.data < (self.minimum_percent.data or 0):
            raise ValidationError(_("The suggestion is below the least."))


class ResidenceForm(FlaskForm):  # type: ignore[misc]
    """Where somebody lives, and what shows it."""

    country = SelectField(
        lazy_gettext("Country where you live"),
        [DataRequired(lazy_gettext("Choose a country."))],
    )
    note = TextAreaField(
        lazy_gettext("What shows it?"),
        [
            DataRequired(lazy_gettext("Write in a few words what shows where you live.")),
            Length(max=1000),
        ],
        description=lazy_gettext("Such as: I study at the university of …; my identity card."),
    )
    document = FileField(
        lazy_gettext("Document"),
        description=lazy_gettext(
            "A picture or a PDF, such as a bill with your address. Cover what is not needed. Only"
            " administrators see it, and it is deleted when they have decided."
        ),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.country.choices = choices([("", _("Choose a country")), *country_choices()])


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """What an administrator says to a proof of residence."""

    decision = RadioField(
        lazy_gettext("Decision"), [InputRequired(lazy_gettext("Choose one of the two."))]
    )
    answer = TextAreaField(
        lazy_gettext("Answer"),
        [Optional(), Length(max=500)],
        description=lazy_gettext("In your words; it stands in the mail to the person."),
    )

    def __init__(self) -> None:
        super().__init__()
        self.decision.choices = choices(
            [("accept", _("Believe it")), ("decline", _("It is not enough"))]
        )


class ContractForm(FlaskForm):  # type: ignore[misc]
    """What an organisation has agreed for its people."""

    organisation = SelectField(
        lazy_gettext("Organisation"), [DataRequired(lazy_gettext("Choose an organisation."))]
    )
    kind = RadioField(lazy_gettext("What it takes off"), default="percent")
    percent = IntegerField(lazy_gettext("Percent"), [Optional(), NumberRange(1, 100)])
    amount = StringField(lazy_gettext("Amount"), [Optional(), Length(max=30)])
    currency = SelectField(lazy_gettext("Currency"), [Optional()])
    scope = SelectField(lazy_gettext("Where it holds"), [Optional()])
    valid_from = DateField(
        lazy_gettext("First day"), [InputRequired(lazy_gettext("Choose a day.")), SensibleDate()]
    )
    valid_until = DateField(lazy_gettext("Last day"), [Optional(), SensibleDate()])
    is_stackable = BooleanField(
        lazy_gettext("Other reductions come on top"),
        description=lazy_gettext("Otherwise the best single reduction counts."),
    )

    def offer(
        self, organisations: Sequence[Organisation], scopes: Sequence[tuple[str, str]]
    ) -> None:
        """Fill in the choices that there are now."""
        self.organisation.choices = choices(
            [
                ("", _("Choose an organisation")),
                *((str(one.id), in_language(one.name)) for one in organisations),
            ]
        )
        self.kind.choices = choices(
            [("percent", _("A percentage")), ("amount", _("A fixed amount"))]
        )
        self.currency.choices = choices([(code, code) for code in settings().currencies])
        self.scope.choices = choices([("", _("Every course")), *scopes])
        if not self.is_submitted():
            self.valid_from.data = queries.today()

    def validate_valid_until(self, field: DateField) -> None:
        """Not before the first day."""
        if field.data and self.valid_from.data and field.data < self.valid_from.data:
            raise ValidationError(_("The last day comes before the first."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Besides each field: what is agreed must be said."""
        is_valid = bool(super().validate(extra_validators))
        return says_reduction(self) and is_valid

    def terms(self, first_day: date, **scope: Any) -> ContractTerms:
        """What was chosen."""
        is_percent = self.kind.data == "percent"
        return ContractTerms(
            valid_from=first_day,
            valid_until=self.valid_until.data,
            percent=self.percent.data if is_percent else None,
            off=None
            if is_percent
            else read_amount(self.amount.data or "", str(self.currency.data)),
            is_stackable=bool(self.is_stackable.data),
            **scope,
        )
