"""The shape of what administrators write about sellers and tax."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import NumberFormatError, parse_decimal
from flask_babel import get_locale, lazy_gettext, lazy_pgettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    Field,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    ValidationError,
)

from lms.config import LANGUAGES
from lms.core.choices import choices
from lms.core.money import InvalidAmount, Money
from lms.core.places import country_choices
from lms.core.settings import settings
from lms.core.validators import SensibleDate
from lms.invoicing.default_rows import RowTerms
from lms.invoicing.models import Seller, TaxRow
from lms.invoicing.taxes import Category, Fact
from lms.invoicing.words import BUYERS, CATEGORIES, SUPPLIES

_PROVINCE = Regexp(r"^[A-Za-z0-9]{1,3}$", message=lazy_gettext("One to three letters or digits."))


class SellerForm(FlaskForm):  # type: ignore[misc]
    """Who sells, and from which sum on tax must be charged."""

    series = StringField(
        lazy_gettext("Beginning of its invoice numbers"),
        [
            InputRequired(lazy_gettext("Write two to eight capital letters or digits.")),
            Regexp(
                r"^[A-Z0-9]{2,8}$",
                message=lazy_gettext("Write two to eight capital letters or digits."),
            ),
        ],
        description=lazy_gettext("Such as LTDP; it never changes."),
    )
    name = StringField(
        lazy_gettext("Name"), [InputRequired(lazy_gettext("Write a name.")), Length(max=200)]
    )
    address = TextAreaField(lazy_gettext("Address"), [Optional(), Length(max=500)])
    email = EmailField(lazy_gettext("E-mail"), [Optional(), Length(max=254)])
    country = SelectField(lazy_gettext("Country"))
    province = StringField(
        lazy_gettext("Province or state"),
        [Optional(), _PROVINCE],
        description=lazy_gettext("Its code, such as ON. It decides what is taxed at home."),
    )
    registered_from = DateField(
        lazy_gettext("Registered for tax from"),
        [Optional(), SensibleDate()],
        description=lazy_gettext("Empty: not registered, so no tax is charged."),
    )
    tax_numbers = TextAreaField(
        lazy_gettext("Tax numbers"),
        [Optional(), Length(max=300)],
        description=lazy_gettext("A line for each, as printed: GST/HST 123456789 RT0001"),
    )
    threshold = StringField(
        lazy_gettext("May be sold in four quarters without registering"),
        [InputRequired(lazy_gettext("Write an amount.")), Length(max=30)],
        description=lazy_gettext("In Canada 50,000 for public service bodies."),
    )
    threshold_currency = SelectField(lazy_gettext("Currency"))
    warn_percent = IntegerField(
        lazy_gettext("Warn administrators at per cent"), [InputRequired(), NumberRange(1, 100)]
    )
    counting_rates = TextAreaField(
        lazy_gettext("Rates to count other currencies by"),
        [Length(max=300)],  # also an empty one is read
        description=lazy_gettext(
            "A line for each: USD 1.37. Only for this count; nothing is ever charged by them."
        ),
    )

    def offer(self) -> None:
        """Fill in the choices that there are now."""
        self.country.choices = choices(country_choices())
        self.threshold_currency.choices = choices([(code, code) for code in settings().currencies])

    def validate_threshold(self, field: StringField) -> None:
        """An amount in its currency."""
        self._threshold = _amount(field.data or "", str(self.threshold_currency.data))

    def validate_counting_rates(self, field: TextAreaField) -> None:
        """A currency and a rate on each line."""
        self._rates: dict[str, str] = {}
        for line in (field.data or "").splitlines():
            if not line.strip():
                continue
            code, _space, rate = line.strip().partition(" ")
            try:
                value = Decimal(rate.strip())
            except InvalidOperation:
                value = Decimal(0)
            if code not in settings().currencies or not 0 < value < 1_000_000:
                raise ValidationError(_("Not a currency and a rate: %(line)s", line=line[:40]))
            self._rates[code] = str(value)

    def values(self) -> dict[str, Any]:
        """What was written, by the names of the columns."""
        return {
            "name": (self.name.data or "").strip(),
            "address": (self.address.data or "").strip(),
            "email": (self.email.data or "").strip(),
            "country": self.country.data,
            "province": (self.province.data or "").strip().upper(),
            "registered_from": self.registered_from.data,
            "tax_numbers": (self.tax_numbers.data or "").strip(),
            "threshold_minor": self._threshold.minor,
            "threshold_currency": self._threshold.currency,
            "warn_percent": self.warn_percent.data,
            "counting_rates": self._rates,
        }


def seller_form(seller: Seller | None) -> SellerForm:
    """The form of a seller, or of a new one; a seller that exists keeps its series."""
    known: dict[str, Any] = {"country": "CA", "province": "ON", "warn_percent": 80}
    known["threshold"] = Money(5_000_000, "CAD").decimal
    known["threshold_currency"] = "CAD"
    if seller is not None:
        known = {column.key: getattr(seller, column.key) for column in Seller.__mapper__.columns}
        known["threshold"] = seller.threshold.decimal
        known["counting_rates"] = "\n".join(
            f"{code} {rate}" for code, rate in seller.counting_rates.items()
        )
    form = SellerForm(data=known)
    form.offer()
    if seller is not None:
        del form.series
    return form


def _amount(text: str, currency: str) -> Money:
    locale = str(get_locale() or "en")
    for language in dict.fromkeys((locale, "en")):
        try:
            amount = Money.parse(text, currency, language)
        except InvalidAmount:
            continue
        if amount.minor >= 0:
            return amount
    raise ValidationError(
        _("Write an amount of %(currency)s, such as 50000.00.", currency=currency)
    )


def _thousandths(text: str) -> int:
    """A percentage as thousandths of one. Raises ValidationError."""
    locale = str(get_locale() or "en")
    for language in dict.fromkeys((locale, "en")):
        try:
            value = parse_decimal(text.strip().removesuffix("%").strip(), locale=language)
        except (NumberFormatError, InvalidOperation):
            continue
        exact = value * 1000
        if value.is_finite() and 0 <= exact <= 100_000 and exact == exact.to_integral_value():
            return int(exact)
    raise ValidationError(_("Write a percentage with at most three decimals, such as 9.975."))


class TaxRowForm(FlaskForm):  # type: ignore[misc]
    """A tax on sales to a place, from a day."""

    country = SelectField(lazy_gettext("Buyers in"))
    province = StringField(
        lazy_gettext("Province or state"),
        [Optional(), _PROVINCE],
        description=lazy_gettext("Its code, such as QC; empty for the whole country."),
    )
    supply = SelectField(lazy_gettext("On"))
    buyer = SelectField(lazy_gettext("Bought by"))
    jurisdiction = StringField(
        lazy_gettext("Whose tax it is"),
        [
            InputRequired(lazy_gettext("Write whose tax it is, such as CA-QC.")),
            Regexp(
                r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$",
                message=lazy_gettext("Write whose tax it is, such as CA-QC."),
            ),
        ],
        description=lazy_gettext("A country or a part of it: CA, CA-QC."),
    )
    rate = StringField(
        lazy_gettext("Rate in per cent"),
        [InputRequired(lazy_gettext("Write a percentage.")), Length(max=12)],
    )
    category = SelectField(lazy_gettext("Category (EN 16931)"))
    starts_on = DateField(
        lazy_gettext("First day"),
        [InputRequired(lazy_gettext("Write the first day.")), SensibleDate()],
    )
    ends_on = DateField(
        lazy_gettext("Last day"),
        [Optional(), SensibleDate()],
        description=lazy_gettext("Empty: until further notice."),
    )
    requires = BooleanField(
        lazy_gettext("Only for courses that end in a certificate and can be failed"),
        description=lazy_gettext("Other sales are then taxed as sales at home."),
    )
    is_active = BooleanField(lazy_gettext("Holds"), default=True)

    def offer(self) -> None:
        """Fill in the choices that there are now."""
        self.country.choices = choices([("", _("Everywhere else")), *country_choices()])
        self.supply.choices = choices(list(SUPPLIES.items()))
        self.buyer.choices = choices(list(BUYERS.items()))
        self.category.choices = choices(
            [(code.value, f"{code.value}: {CATEGORIES[code]}") for code in Category]
        )

    def validate_rate(self, field: StringField) -> None:
        """Exact to three decimals."""
        self._rate = _thousandths(field.data or "")

    def words(self, prefix: str) -> list[Field]:
        """The fields of a text in all languages."""
        return [self[f"{prefix}_{code}"] for code in LANGUAGES]

    def terms(self) -> RowTerms:
        """What was written."""
        texts = {
            prefix: {
                code: (self[f"{prefix}_{code}"].data or "").strip()
                for code in LANGUAGES
                if (self[f"{prefix}_{code}"].data or "").strip()
            }
            for prefix in ("name", "reason")
        }
        assert self.starts_on.data is not None
        return RowTerms(
            jurisdiction=self.jurisdiction.data or "",
            rate=self._rate,
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
            country=self.country.data or "",
            province=(self.province.data or "").strip().upper(),
            supply=self.supply.data or "",
            buyer=self.buyer.data or "",
            category=str(self.category.data),
            requires=Fact.CAN_BE_FAILED if self.requires.data else "",
            is_active=bool(self.is_active.data),
            **texts,
        )


for _code, _name in LANGUAGES.items():
    setattr(TaxRowForm, f"name_{_code}", StringField(_name, [Optional(), Length(max=60)]))
    setattr(TaxRowForm, f"reason_{_code}", TextAreaField(_name, [Optional(), Length(max=300)]))


def tax_row_form(like: TaxRow | None) -> TaxRowForm:
    """The form of a new row, filled in like another one that it follows."""
    known: dict[str, Any] = {}
    if like is not None:
        known = {column.key: getattr(like, column.key) for column in TaxRow.__mapper__.columns}
        known |= {f"name_{code}": text for code, text in like.name.items()}
        known |= {f"reason_{code}": text for code, text in like.reason.items()}
        known |= {"rate": f"{like.percent.normalize():f}", "starts_on": None, "ends_on": None}
    form = TaxRowForm(data=known)
    form.offer()
    return form


class EndRowForm(FlaskForm):  # type: ignore[misc]
    """Until when a row holds."""

    last_day = DateField(
        lazy_gettext("Last day"),
        [InputRequired(lazy_gettext("Write the last day.")), SensibleDate()],
    )


class PeriodForm(FlaskForm):  # type: ignore[misc]
    """From when to when; asked in the address."""

    class Meta:
        csrf = False

    first = DateField(lazy_pgettext("date range", "From"), [Optional(), SensibleDate()])
    last = DateField(lazy_pgettext("date range", "To"), [Optional(), SensibleDate()])
