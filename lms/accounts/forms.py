"""The shape of what people type."""

from __future__ import annotations

from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length, Optional, StopValidation, ValidationError

from lms.accounts.errors import WeakPassword
from lms.accounts.models import User
from lms.accounts.passwords import LONGEST, check_strength
from lms.config import LANGUAGES
from lms.core.choices import choices, grouped_choices
from lms.core.places import country_choices, time_zone_choices


def tidy(value: str | None) -> str | None:
    """One line without outer or double spaces and without signs that nobody sees."""
    if not value:
        return value
    return " ".join("".join(s for s in value if s.isprintable() or s.isspace()).split())


class Address:
    """An e-mail address as people can have it; kept with its domain in lower case."""

    def __call__(self, form: BaseForm, field: Field) -> None:
        """Refuse what cannot be an address."""
        try:
            found = validate_email(
                field.data or "", check_deliverability=False, test_environment=True
            )
        except EmailNotValidError:
            raise StopValidation(_("Write an address like name@example.org.")) from None
        field.data = found.normalized


class Needed(InputRequired):
    """Something must be typed; says what."""

    def __call__(self, form: BaseForm, field: Field) -> None:
        """Refuse spaces too."""
        if not field.raw_data or not str(field.raw_data[0]).strip():
            field.errors = []
            raise StopValidation(str(self.message))


def without_links(form: BaseForm, field: Field) -> None:
    """Refuse names that carry a link: they would be mailed to whoever's address was typed."""
    if any(sign in field.data for sign in "<>@/\\") or "www." in field.data.casefold():
        raise ValidationError(_("Write your name only, without addresses or links."))


def name_field() -> StringField:
    """The name of a person."""
    return StringField(
        lazy_gettext("Name"),
        [Needed(lazy_gettext("Write your name.")), Length(max=120), without_links],
        filters=[tidy],
        description=lazy_gettext("As it shall stand on your certificates."),
    )


def email_field(label: Any) -> EmailField:
    """An address to which mail can go."""
    return EmailField(
        label, [Needed(lazy_gettext("Write your e-mail address.")), Length(max=254), Address()]
    )


def _typed_email_field() -> EmailField:
    """An address that is only looked up: no reason to be strict."""
    return EmailField(
        lazy_gettext("E-mail"),
        [Needed(lazy_gettext("Write your e-mail address.")), Length(max=254)],
        filters=[tidy],
    )


def _new_password_field(label: Any) -> PasswordField:
    return PasswordField(
        label,
        [Needed(lazy_gettext("Choose a password.")), Length(max=LONGEST)],
        description=lazy_gettext("At least 10 characters. Three or four words do well."),
    )


def _present_password_field() -> PasswordField:
    return PasswordField(
        lazy_gettext("Your present password"), [Needed(lazy_gettext("Write your password."))]
    )


def _language_field() -> SelectField:
    return SelectField(lazy_gettext("Language"), choices=choices(LANGUAGES.items()))


class PlaceFields(FlaskForm):  # type: ignore[misc]
    """Country and time zone, whose choices are in the reader's language."""

    country = SelectField(lazy_gettext("Country"), default="")
    time_zone = SelectField(lazy_gettext("Time zone"), default="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = choices([("", _("Choose a country")), *country_choices()])
        self.time_zone.choices = grouped_choices(time_zone_choices())


class RegistrationForm(PlaceFields):
    """A new account."""

    name = name_field()
    email = email_field(lazy_gettext("E-mail"))
    password = _new_password_field(lazy_gettext("Password"))
    language = _language_field()
    accept = BooleanField(
        lazy_gettext("I accept the terms of use."),
        [InputRequired(lazy_gettext("Accept the terms to make an account."))],
    )
    next = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        by_country = {_("Not sure"): [("", _("That of my country"))]}
        self.time_zone.choices = grouped_choices(by_country | time_zone_choices())

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is quickly guessed."""
        _check_strength(field, self.email.data or "", self.name.data or "")


def _check_strength(field: PasswordField, email: str, name: str) -> None:
    try:
        check_strength(field.data or "", email, name)
    except WeakPassword as error:
        raise ValidationError(str(error.text)) from None


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Address and password."""

    email = _typed_email_field()
    password = PasswordField(
        lazy_gettext("Password"), [Needed(lazy_gettext("Write your password."))]
    )
    remember = BooleanField(lazy_gettext("Keep me signed in on this device for 30 days"))
    next = HiddenField()


class ConfirmationForm(FlaskForm):  # type: ignore[misc]
    """Confirming an address in the browser that registered it."""


class ConfirmationWithPasswordForm(ConfirmationForm):
    """Confirming an address in any other browser."""

    password = PasswordField(
        lazy_gettext("Password"),
        [Needed(lazy_gettext("Write your password."))],
        description=lazy_gettext("The one you chose when you made the account."),
    )


class AddressForm(FlaskForm):  # type: ignore[misc]
    """An address to which a link is mailed."""

    email = _typed_email_field()
    next = HiddenField()


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password, by a link from a mail."""

    password = _new_password_field(lazy_gettext("New password"))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is quickly guessed."""
        _check_strength(field, self.user.email, self.user.name)


class ClaimForm(FlaskForm):  # type: ignore[misc]
    """Name and password for an account that waits."""

    name = name_field()
    password = _new_password_field(lazy_gettext("Password"))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, name=user.name, **kwargs)
        self.address = user.address

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is quickly guessed."""
        _check_strength(field, self.address, self.name.data or "")


class ProfileForm(PlaceFields):
    """What the person tells about themselves."""

    name = name_field()
    profession = StringField(
        lazy_gettext("Profession"), [Optional(), Length(max=120)], filters=[tidy]
    )
    language = _language_field()

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, obj=user, **kwargs)
        zones = time_zone_choices()
        if not any(user.time_zone == zone for group in zones.values() for zone, _city in group):
            zones = {_("Chosen until now"): [(user.time_zone, user.time_zone)], **zones}
        self.time_zone.choices = grouped_choices(zones)


class NewEmailForm(FlaskForm):  # type: ignore[misc]
    """Another address for the account."""

    email = email_field(lazy_gettext("New e-mail"))
    email_password = _present_password_field()


class ChangePasswordForm(FlaskForm):  # type: ignore[misc]
    """Another password for the account."""

    old_password = _present_password_field()
    password = _new_password_field(lazy_gettext("New password"))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is quickly guessed."""
        _check_strength(field, self.user.email, self.user.name)


class CloseForm(FlaskForm):  # type: ignore[misc]
    """Closing the account, twice confirmed."""

    close_password = _present_password_field()
    understood = BooleanField(
        lazy_gettext("I know that this cannot be undone."),
        [InputRequired(lazy_gettext("Tick this box if you want to close your account."))],
    )


class PresentPasswordForm(FlaskForm):  # type: ignore[misc]
    """The password, typed again."""

    present_password = _present_password_field()
    next = HiddenField()


class CodeForm(FlaskForm):  # type: ignore[misc]
    """A code of the second factor."""

    code = StringField(
        lazy_gettext("Code"),
        [Needed(lazy_gettext("Type the code.")), Length(max=40)],
    )
    next = HiddenField()


class NoticeForm(FlaskForm):  # type: ignore[misc]
    """What all visitors are told, in each language."""

    kind = RadioField(
        lazy_gettext("Kind"),
        choices=choices(
            [("info", lazy_gettext("Information")), ("warning", lazy_gettext("Warning"))]
        ),
        default="info",
    )


for _code, _name in LANGUAGES.items():
    setattr(NoticeForm, _code, TextAreaField(_name, [Optional(), Length(max=500)]))
