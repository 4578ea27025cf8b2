"""Forms of the administration of keys and forwarding."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Self

from flask_babel import get_timezone
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import (
    UUID,
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)
from wtforms.widgets import CheckboxInput

from lms.accounts.models import User
from lms.core import clock
from lms.core.outgoing import AddressRefused, check_address
from lms.core.validators import SensibleDate
from lms.xapi.collections import REGISTRATION, statement_collections
from lms.xapi.models import ErasureWay, KeyScope
from lms.xapi.services.selection import Selection

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


def _limits(user: User) -> list[SelectChoice]:
    """Nothing, and the members of all collections of statements."""
    return [
        SelectChoice("", _l("The whole store")),
        *(
            SelectChoice(f"{collection.name}:{member.value}", f"{collection.label}: {member.text}")
            for collection in statement_collections.values()
            for member in collection.members(user)
        ),
    ]


def _chosen_limit(choice: str | None) -> tuple[str, uuid.UUID] | None:
    """Name of the collection and its member, of a choice among `_limits`."""
    if not choice:
        return None
    kind, value = choice.split(":", 1)
    return kind, uuid.UUID(value)


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
        _l("What it reaches"),
        description=_l("Only statements about this."),
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
        self.limit.choices = _limits(user)
        return self

    def validate_registration(self, field: StringField) -> None:
        """A key has one limit."""
        if field.data and self.limit.data:
            raise ValidationError(_l("Choose either a course or a registration."))

    def chosen_limit(self) -> tuple[str, uuid.UUID] | None:
        """What the key is limited to, as `services.keys.make_key` takes it."""
        if self.registration.data:
            return REGISTRATION, uuid.UUID(self.registration.data)
        return _chosen_limit(self.limit.data)

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


class EndpointTestForm(FlaskForm):  # type: ignore[misc]
    """The key to try the endpoint with."""

    key = StringField(
        _l("Key"),
        validators=[Optional(), Length(max=200)],
        description=_l("Empty: Puente makes a key of its own that ends after ten minutes."),
    )
    secret = PasswordField(_l("Secret"), validators=[Length(max=200)])

    def validate_secret(self, field: PasswordField) -> None:
        """Both or none."""
        if bool(self.key.data) != bool(field.data):
            raise ValidationError(_l("Key and secret belong together."))


class ImportForm(FlaskForm):  # type: ignore[misc]
    """A file of statements."""

    file = FileField(
        _l("File"),
        validators=[FileRequired(_l("Choose a file."))],
        description=_l(
            "JSON Lines, a JSON array of statements, or a ZIP with attachments, as exported here."
        ),
    )


class FilterForm(FlaskForm):  # type: ignore[misc]
    """What to look for among the statements."""

    class Meta:
        csrf = False  # it only reads

    run = SelectField(_l("Course run"), validators=[Optional()])
    person = StringField(
        _l("Person"),
        validators=[Optional(), Length(max=500)],
        description=_l("A name or an email address."),
    )
    verb = SelectField(_l("What was done"), validators=[Optional()])
    activity = StringField(
        _l("Activity"),
        validators=[Optional(), Length(max=2000)],
        description=_l("Its address (IRI), as in the statements."),
    )
    since = DateField(_l("From"), validators=[Optional(), SensibleDate()])
    until = DateField(_l("Until"), validators=[Optional(), SensibleDate()])


class _SelectionFields(FlaskForm):  # type: ignore[misc]
    """Which statements an administrator means."""

    limit = SelectField(
        _l("Limited to"), description=_l("Only statements about this."), validators=[Optional()]
    )
    verbs = TextAreaField(
        _l("Only these verbs"),
        validators=[Optional(), Length(max=5000)],
        description=_l("The IRI of one verb on each line. Empty: all verbs."),
    )
    is_own_only = BooleanField(_l("Only what happens in Puente, not what other tools send"))

    def offer(self, user: User) -> Self:
        """Fill in what statements can be limited to; returns itself."""
        self.limit.choices = _limits(user)
        return self

    def validate_verbs(self, field: TextAreaField) -> None:
        """Each line is an IRI."""
        for line in self._chosen_verbs():
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|^`]+", line):
                raise ValidationError(_l("This is not an IRI: %(line)s", line=line))

    def _chosen_verbs(self) -> tuple[str, ...]:
        lines = [line.strip() for line in (self.verbs.data or "").splitlines()]
        return tuple(dict.fromkeys(line for line in lines if line))

    def selection(self) -> Selection:
        """What was chosen."""
        return Selection(
            self._chosen_verbs(), _chosen_limit(self.limit.data), self.is_own_only.data
        )


class _TargetFields(_SelectionFields):
    """What an administrator decides of another store to forward to."""

    name = StringField(_l("Name"), validators=[DataRequired(), Length(max=100)])
    endpoint = StringField(
        _l("Address of its xAPI endpoint"), validators=[DataRequired(), Length(max=500)]
    )
    username = StringField(_l("Key"), validators=[DataRequired(), Length(max=200)])

    def validate_endpoint(self, field: StringField) -> None:
        """Puente does not connect to every address."""
        try:
            check_address(field.data or "")
        except AddressRefused as refusal:
            raise ValidationError(refusal.text) from None


class TargetForm(_TargetFields):
    """Another store to forward to."""

    password = PasswordField(_l("Secret"), validators=[DataRequired(), Length(max=200)])
    from_now = BooleanField(_l("Only what happens from now on"), default=True)


class ChangedTargetForm(_TargetFields):
    """A store that statements are forwarded to; without a secret the present one stays."""

    password = PasswordField(
        _l("Secret"),
        validators=[Optional(), Length(max=200)],
        description=_l("Empty: the present secret stays."),
    )


class RuleForm(_SelectionFields):
    """How long some statements are kept."""

    name = StringField(_l("Name"), validators=[DataRequired(), Length(max=100)])
    days = IntegerField(
        _l("Days"),
        validators=[InputRequired(), NumberRange(min=1, max=36500)],
        description=_l("Statements are deleted so many days after they were stored."),
    )


class PersonForm(FlaskForm):  # type: ignore[misc]
    """Whose records are meant."""

    who = StringField(
        _l("Email address or identifier"),
        validators=[DataRequired(), Length(max=1000)],
        description=_l("An identifier of an account has the form homePage|name."),
    )


class EraseForm(PersonForm):
    """What shall become of a person's records."""

    way = RadioField(
        _l("What shall become of the records"),
        choices=[
            SelectChoice(
                ErasureWay.ANONYMISE.value,
                _l("They stay, but nobody can tell any more whose they are"),
            ),
            SelectChoice(ErasureWay.DELETE.value, _l("They are deleted")),
        ],
        default=ErasureWay.ANONYMISE.value,
    )
    understood = BooleanField(
        _l("I know that this cannot be undone"), validators=[DataRequired(_l("Please confirm."))]
    )
