"""The shape of what people type about agreements and statements."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, DecimalField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from lms.core.amounts import read_amount
from lms.core.choices import choices
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.validators import SensibleDate
from lms.partners.models import AgreementVersion, Basis, RefundsBorneBy
from lms.partners.services.agreements import today
from lms.partners.shares import PartyTerms, Terms

ROWS = 3
BASES = {
    Basis.GROSS: lazy_gettext("What the buyer pays, tax included"),
    Basis.NET: lazy_gettext("What the buyer pays, without tax"),
    Basis.NET_OF_FEES: lazy_gettext("Without tax and without the payment service's fees"),
}
BORNE_BY = {
    RefundsBorneBy.ALL: lazy_gettext("All: shares shrink with the sale"),
    RefundsBorneBy.SELLER: lazy_gettext(
        "The seller: partners keep their share of weeks that were taught"
    ),
}


class VersionForm(FlaskForm):  # type: ignore[misc]
    """Terms of an agreement."""

    subject = SelectField(lazy_gettext("Course or course run"), validate_choice=True)
    basis = RadioField(lazy_gettext("What is shared"), default=Basis.NET)
    refunds_borne_by = RadioField(
        lazy_gettext("Who bears refunds of weeks that were taught"), default=RefundsBorneBy.ALL
    )
    currency = SelectField(
        lazy_gettext("Currency of fixed and least amounts"),
        description=lazy_gettext("They count for sales in this currency only."),
    )
    starts_on = DateField(
        lazy_gettext("For sales from"),
        [InputRequired(lazy_gettext("Choose a day.")), SensibleDate()],
        description=lazy_gettext("Not before the day after the last partner has accepted."),
    )
    note = StringField(lazy_gettext("Note"), [Optional(), Length(max=500)])

    def offer(self, subjects: list[tuple[str, str]], partners: list[tuple[str, str]]) -> None:
        """Fill in the choices that there are now."""
        self.subject.choices = choices(subjects)
        self.basis.choices = choices([(key.value, str(label)) for key, label in BASES.items()])
        self.refunds_borne_by.choices = choices(
            [(key.value, str(label)) for key, label in BORNE_BY.items()]
        )
        self.currency.choices = choices([(code, code) for code in settings().currencies])
        for row in self.rows():
            row[0].choices = choices([("", _("Nobody")), *partners])
        if self.starts_on.data is None and not self.is_submitted():
            self.starts_on.data = today() + timedelta(days=1)

    def rows(self) -> Iterable[tuple[Any, Any, Any, Any]]:
        """Partner, percentage, fixed amount and least amount of each row."""
        for row in range(1, ROWS + 1):
            yield (
                self[f"partner_{row}"],
                self[f"percent_{row}"],
                self[f"fixed_{row}"],
                self[f"least_{row}"],
            )

    def fill(self, version: AgreementVersion) -> None:
        """Begin with the terms of the last version."""
        self.basis.data, self.refunds_borne_by.data = version.basis, version.refunds_borne_by
        self.currency.data = version.currency
        for row, party in zip(self.rows(), version.parties, strict=False):
            partner, percent, fixed, least = row
            partner.data = str(party.organisation_id)
            if party.percent_hundredths is not None:
                percent.data = Decimal(party.percent_hundredths) / 100
            if party.fixed_minor is not None:
                fixed.data = str(Money(party.fixed_minor, version.currency).decimal)
            if party.least_minor:
                least.data = str(Money(party.least_minor, version.currency).decimal)

    def _minor(self, field: Any) -> int | None:
        if not (field.data or "").strip():
            return None
        try:
            return read_amount(field.data, str(self.currency.data)).minor
        except ValidationError as error:
            field.errors = [str(error)]
            return None

    def validate(self, extra_validators: Any = None) -> bool:
        """Besides each field: each partner has a percentage or an amount, not both."""
        is_valid = bool(super().validate(extra_validators))
        for partner, percent, fixed, least in self.rows():
            self._minor(fixed)
            self._minor(least)
            has_percent, has_fixed = percent.data is not None, bool((fixed.data or "").strip())
            if partner.data and has_percent == has_fixed and not percent.errors:
                percent.errors = [_("Write a percentage or a fixed amount.")]
            if percent.errors or fixed.errors or least.errors:
                is_valid = False
        return is_valid

    def terms(self) -> Terms:
        """What was written."""
        parties = [
            PartyTerms(
                int(partner.data),
                int(percent.data * 100) if percent.data is not None else None,
                self._minor(fixed),
                self._minor(least) or 0,
            )
            for partner, percent, fixed, least in self.rows()
            if partner.data
        ]
        return Terms(
            str(self.basis.data),
            str(self.refunds_borne_by.data),
            str(self.currency.data),
            parties,
        )


for _row in range(1, ROWS + 1):
    setattr(VersionForm, f"partner_{_row}", SelectField(lazy_gettext("Partner"), default=""))
    setattr(
        VersionForm,
        f"percent_{_row}",
        DecimalField(
            lazy_gettext("Percent"), [Optional(), NumberRange(Decimal("0.01"), 100)], places=2
        ),
    )
    setattr(
        VersionForm,
        f"fixed_{_row}",
        StringField(lazy_gettext("Fixed amount for each learner"), [Optional(), Length(max=30)]),
    )
    setattr(
        VersionForm,
        f"least_{_row}",
        StringField(lazy_gettext("At least, for each learner"), [Optional(), Length(max=30)]),
    )


class ActionForm(FlaskForm):  # type: ignore[misc]
    """A button that changes something: only the protection against forged requests."""


class PaidForm(FlaskForm):  # type: ignore[misc]
    """Money that was sent to a partner, or came from it."""

    way = RadioField(lazy_gettext("Who paid?"), default="to")
    partner = SelectField(lazy_gettext("Partner"))
    amount = StringField(
        lazy_gettext("Amount sent"),
        [InputRequired(lazy_gettext("Write the amount.")), Length(max=30)],
    )
    currency = SelectField(lazy_gettext("Currency"))
    reference = StringField(
        lazy_gettext("The bank's reference"),
        [InputRequired(lazy_gettext("Write the bank's reference.")), Length(max=100)],
    )

    def offer(self) -> None:
        """Fill in the choices that there are now."""
        self.currency.choices = choices([(code, code) for code in settings().currencies])
        self.way.choices = choices([("to", _("We paid the partner")), ("from", _("It paid us"))])


class ContestForm(FlaskForm):  # type: ignore[misc]
    """What is said about a line of a statement."""

    words = StringField(
        lazy_gettext("In your words"),
        [InputRequired(lazy_gettext("Write a sentence.")), Length(max=500)],
    )
