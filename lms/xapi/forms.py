"""Forms of the administration of keys and forwarding."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import URL, DataRequired, Length

from lms.xapi.models import KeyScope


class KeyForm(FlaskForm):  # type: ignore[misc]
    """A new key."""

    name = StringField(
        _l("Name of the tool"),
        validators=[DataRequired(), Length(max=100)],
        description=_l("So that you know it again in the list."),
    )
    scope = SelectField(
        _l("What it may do"),
        choices=[
            SelectChoice(KeyScope.WRITE.value, _l("Send statements")),
            SelectChoice(KeyScope.READ_MINE.value, _l("Read what it sent itself")),
            SelectChoice(KeyScope.READ.value, _l("Read all statements")),
            SelectChoice(KeyScope.ALL.value, _l("Send statements and read all")),
        ],
        default=KeyScope.WRITE.value,
    )


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
