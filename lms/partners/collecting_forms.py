"""The shape of what is said about partners that collect."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from lms.core.choices import choices
from lms.core.places import country_choices
from lms.core.settings import settings


class CollectorForm(FlaskForm):  # type: ignore[misc]
    """Where people of a country pay a partner."""

    partner = SelectField(lazy_gettext("Partner"))
    country = SelectField(lazy_gettext("For buyers who live in"))
    currency = SelectField(lazy_gettext("Currency"))
    holder = StringField(
        lazy_gettext("Account holder"),
        [InputRequired(lazy_gettext("Write the account holder.")), Length(max=200)],
    )
    bank = StringField(
        lazy_gettext("Bank"), [InputRequired(lazy_gettext("Write the bank.")), Length(max=200)]
    )
    account = StringField(
        lazy_gettext("Account number"),
        [InputRequired(lazy_gettext("Write the account number.")), Length(max=60)],
    )
    picture = FileField(
        lazy_gettext("Picture of the bank’s QR code"),
        description=lazy_gettext("PNG or JPEG, at most 2 MB."),
    )
    qr_text = TextAreaField(
        lazy_gettext("Or what the QR code holds"),
        [Optional(), Length(max=500)],
        description=lazy_gettext("A QR code is drawn of it where there is no picture."),
    )
    is_active = BooleanField(lazy_gettext("Offered to buyers"), default=True)

    def offer(self, partners: list[tuple[str, str]]) -> None:
        """Fill in the choices that there are now."""
        self.partner.choices = choices(partners)
        self.country.choices = choices(country_choices())
        self.currency.choices = choices([(code, code) for code in settings().currencies])

    def for_change(self) -> None:
        """Who collects in what currency and where stays as it is."""
        del self.partner, self.country, self.currency

    def values(self) -> dict[str, str]:
        """What was written of the account."""
        names = ("holder", "bank", "account", "qr_text")
        return {name: (self[name].data or "").strip() for name in names}

    def uploaded(self) -> tuple[bytes, str] | None:
        """The picture that was chosen."""
        content = self.picture.data.read() if self.picture.data else b""
        return (content, self.picture.data.filename or "qr.png") if content else None


class CollectedForm(FlaskForm):  # type: ignore[misc]
    """Money that a partner's people saw on their account."""

    amount = StringField(
        lazy_gettext("Amount received"),
        [InputRequired(lazy_gettext("Write the amount that arrived.")), Length(max=30)],
    )
    reference = StringField(
        lazy_gettext("The bank's reference"),
        [InputRequired(lazy_gettext("Write the bank's reference.")), Length(max=80)],
        description=lazy_gettext("The number on the statement of account; each is used once."),
    )


class SentForm(FlaskForm):  # type: ignore[misc]
    """A refund that a partner's people sent."""

    reference = StringField(
        lazy_gettext("The bank's reference"),
        [InputRequired(lazy_gettext("Write the bank's reference.")), Length(max=100)],
    )


def no_reference() -> str:
    """What is said where the reference is missing."""
    return str(_("Write the bank's reference."))
