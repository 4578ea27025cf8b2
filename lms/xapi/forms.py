"""Forms of the administration of keys and forwarding."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import get_timezone
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import URL, UUID, DataRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput

from lms.accounts.models import User
from lms.core import clock
from lms.xapi.collections import REGISTRATION, statement_collections
from lms.xapi.models import KeyScope


SCOPES: list[tuple[KeyScope, LazyString]] = [
    (KeyScope.WRITE, _l("Send statements")),
    (KeyScope.READ_MINE, _l("Read the statements that it sent itself")),
    (KeyScope.READ, _l("Read all statements")),
    (KeyScope.STATE, _l("Keep states of learners, such as bookmarks")),
    (KeyScope.PROFILE, _l("Keep profiles of activities and persons")),
    (KeyScope.ALL, _l("Everything")),
]


def _until_end_of_day(field: DateField) -> datetime | None:
    """The end of the chosen day in the reader's time zone."""
    return clock.end_of_day(field.data, str(get_timezone())) if field.data else None


class _Future:
    """A day that is not over."""

    def __call__(self, form: object, field: DateField) -> None:
        end = _until_end_of_day(field)
        if end is not None and end <= clock.now():
            raise ValidationError(_l("Choose a day that is not over."))


class KeyForm(FlaskForm):  # type: ignore[misc]
    """A new key."""

    name = StringField(
        _l("Name of the tool"),
        validators=[DataRequired(), Length(max=100)],
        description=_l("So that you know it again in the list."),
    )
    scopes = SelectMultipleField(
        _l("What it may do"),
        choices=[SelectChoice(scope.value, text) for scope, text in SCOPES],
        default=[KeyScope.WRITE.value],
        option_widget=CheckboxInput(),
        validators=[DataRequired(_l("Choose at least one."))],
    )
    limit = SelectField(
        _l("Limited to"),
        description=_l("It reaches only statements about this."),
        validators=[Optional()],
    )
    registration = StringField(
        _l("Only one registration"),
        validators=[Optional(), UUID(_l("A registration is a UUID, as in the statements."))],
        description=_l("Instead of a course: the registration of one learner in one course run."),
    )
    expires_on = DateField(
        _l("Last day"), validators=[Optional(), _Future()], description=_l("Empty: no end.")
    )

    def offer(self, user: User) -> KeyForm:
        """Fill in what a key can be limited to; returns itself."""
        self.limit.choices = [
            SelectChoice("", _l("Nothing")),
            *(
                SelectChoice(
                    f"{collection.name}:{member.value}", f"{collection.label}: {member.text}"
                )
                for collection in statement_collections.values()
                for member in collection.members(user)
            ),
        ]
        return self

    def validate_registration(self, field: StringField) -> None:
        """A key has one limit."""
        if field.data and self.limit.data:
            raise ValidationError(_l("Choose either a course or a registration."))

    def chosen_limit(self) -> tuple[str, uuid.UUID] | None:
        """What the key is limited to, as `services.keys.make_key` takes it."""
        if self.registration.data:
            return REGISTRATION, uuid.UUID(self.registration.data)
        if self.limit.data:
            kind, value = self.limit.data.split(":", 1)
            return kind, uuid.UUID(value)
        return None

    def chosen_expiry(self) -> datetime | None:
        """The end of the last day."""
        return _until_end_of_day(self.expires_on)


class RotateForm(FlaskForm):  # type: ignore[misc]
    """A new secret for a key."""

    overlap = SelectField(
        _l("The old secret works"),
        choices=[
            SelectChoice("0", _l("no longer")),
            SelectChoice("1", _l("for one more hour")),
            SelectChoice("24", _l("for one more day")),
            SelectChoice("168", _l("for one more week")),
        ],
        default="24",
    )


class ExpiryForm(FlaskForm):  # type: ignore[misc]
    """When a key ends."""

    expires_on = DateField(
        _l("Last day"), validators=[Optional(), _Future()], description=_l("Empty: no end.")
    )

    def chosen_expiry(self) -> datetime | None:
        """The end of the last day."""
        return _until_end_of_day(self.expires_on)


class TargetForm(FlaskForm):  # type: ignore[misc]
    """Another store to forward to."""

    name = StringField(_l("Name"), validators=[DataRequired(), Length(max=100)])
    endpoint = StringField(
        _l("Address of its xAPI endpoint"),
        validators=[DataRequired(), URL(require_tld=False), Length(max=500)],
    )
    username = StringField(_l("Key"), validators=[DataRequired(), Length(max=200)])
    password = PasswordField(_l("Secret"), validators=[DataRequired(), Length(max=200)])
    from_now = BooleanField(_l("Only what happens from now on"), default=True)
