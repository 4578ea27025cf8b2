"""The shape of what people type about places for others."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import HiddenInput

from lms.config import LANGUAGES
from lms.core.choices import choices
from lms.payments.seat_models import MOST_SEATS


class ChooseSeatsForm(FlaskForm):  # type: ignore[misc]
    """How many places, in which run, for which organisation."""

    run = SelectField(lazy_gettext("Course run"), validate_choice=True)
    seats = IntegerField(
        lazy_gettext("How many places?"),
        [
            InputRequired(lazy_gettext("Write how many places you need.")),
            NumberRange(1, MOST_SEATS),
        ],
    )
    organisation = SelectField(
        lazy_gettext("For which organisation?"),
        [Optional()],
        description=lazy_gettext(
            "Its contract counts for the price, and its managers can give the places away too."
        ),
    )


class InviteForm(FlaskForm):  # type: ignore[misc]
    """To whom places are given, one address a line."""

    addresses = TextAreaField(
        lazy_gettext("E-mail addresses"),
        [InputRequired(lazy_gettext("Write at least one address.")), Length(max=50_000)],
        description=lazy_gettext(
            "One on each line. Each person gets a link, also without an account here."
        ),
    )
    language = SelectField(
        lazy_gettext("Language of the mail"),
        choices=choices(LANGUAGES.items()),
        description=lazy_gettext("Who has an account here gets it in their own language."),
    )

    def validate_addresses(self, field: TextAreaField) -> None:
        """Each line is an address; the wrong ones are named."""
        self.found: list[str] = []
        wrong = []
        for line in (field.data or "").replace(",", "\n").replace(";", "\n").splitlines():
            if not line.strip():
                continue
            try:
                checked = validate_email(line.strip(), check_deliverability=False)
            except EmailNotValidError:
                wrong.append(line.strip()[:80])
            else:
                self.found.append(checked.normalized)
        if wrong:
            raise ValidationError(_("Not an address: %(lines)s.", lines=", ".join(wrong[:5])))
        if len(self.found) > MOST_SEATS:
            raise ValidationError(_("Write at most %(count)s addresses.", count=MOST_SEATS))


class ReturnForm(FlaskForm):  # type: ignore[misc]
    """How many free places go back, and the sum that the buyer was shown for them."""

    count = IntegerField(
        lazy_gettext("How many places?"),
        [InputRequired(lazy_gettext("Write how many places you give back.")), NumberRange(1)],
    )
    shown = IntegerField(validators=[Optional()], widget=HiddenInput())


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The code of a block."""

    code = StringField(
        lazy_gettext("Code"),
        [InputRequired(lazy_gettext("Write the code that you were given.")), Length(max=40)],
    )


class TakeForm(FlaskForm):  # type: ignore[misc]
    """Whether who paid may see the result."""

    shares_result = BooleanField(
        lazy_gettext("Let who paid see whether I completed the course"),
    )
