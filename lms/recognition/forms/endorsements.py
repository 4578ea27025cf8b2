"""The shape of what officers type about their keys and endorsements."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, EqualTo, Length, Optional, ValidationError

from lms.config import LANGUAGES
from lms.core import clock
from lms.core.choices import choices
from lms.core.text import current_language
from lms.core.validators import SensibleDate
from lms.courses.models import Course
from lms.directory.models import Organisation
from lms.recognition.forms.desk import course_choices, first_day, organisation_choices, tidy
from lms.recognition.services.body_keys import SHORTEST
from lms.recognition.services.endorsements import LARGEST, LONGEST_COMMENT


def _passphrase(label: Any = lazy_gettext("Passphrase of the key")) -> PasswordField:
    return PasswordField(
        label, [DataRequired(lazy_gettext("Type the passphrase.")), Length(max=200)]
    )


class KeyForm(FlaskForm):  # type: ignore[misc]
    """A new key, and the passphrase that will open it."""

    passphrase = PasswordField(
        lazy_gettext("Passphrase of the new key"),
        [
            DataRequired(lazy_gettext("Choose a passphrase.")),
            Length(
                SHORTEST,
                200,
                lazy_gettext("At least %(signs)s signs; a few words are best.", signs=SHORTEST),
            ),
        ],
        description=lazy_gettext(
            "Keep it in your association’s safe. It is kept nowhere here: who loses it makes a new"
            " key."
        ),
    )
    again = PasswordField(
        lazy_gettext("The passphrase once more"),
        [
            DataRequired(lazy_gettext("Type the passphrase once more.")),
            EqualTo("passphrase", lazy_gettext("This is not the same passphrase.")),
        ],
    )


class ImportKeysForm(FlaskForm):  # type: ignore[misc]
    """Keys from a file that was exported before."""

    file = FileField(
        lazy_gettext("File of keys"),
        validators=[FileRequired(lazy_gettext("Choose the file."))],
    )
    passphrase = _passphrase()


class _SubjectForm(FlaskForm):  # type: ignore[misc]
    """Whom or what an endorsement is about."""

    provider = SelectField(lazy_gettext("Provider"), default="")
    course = SelectField(
        lazy_gettext("Or one course"),
        default="",
        description=lazy_gettext("Choose either of the two."),
    )

    def __init__(self, providers: list[Organisation], courses: list[Course], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.provider.choices = organisation_choices(providers, _("No provider"))
        self.course.choices = course_choices(courses, _("No course"))

    def validate_course(self, field: SelectField) -> None:
        """Exactly one of the two."""
        if bool(field.data) == bool(self.provider.data):
            raise ValidationError(_("Choose a provider or a course, not both."))


class EndorsementForm(_SubjectForm):
    """What the association says, and from when to when."""

    comment = TextAreaField(
        lazy_gettext("What your association says"),
        [
            DataRequired(lazy_gettext("Say in a sentence or two why you endorse it.")),
            Length(max=LONGEST_COMMENT),
        ],
        description=lazy_gettext("Everybody can read it, and it is signed as it stands."),
    )
    language = SelectField(
        lazy_gettext("Language of these words"), choices=choices(LANGUAGES.items())
    )
    starts_on = first_day(lazy_gettext("First day"))
    ends_on = DateField(lazy_gettext("Last day"), [Optional(), SensibleDate()])
    passphrase = _passphrase()

    def __init__(self, *arguments: Any, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"starts_on": clock.now().date(), "language": current_language()}
        super().__init__(*arguments, **(defaults | kwargs))

    def validate_ends_on(self, field: DateField) -> None:
        """The end comes after the beginning."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day comes before the first."))


class ForeignEndorsementForm(_SubjectForm):
    """An endorsement that was signed with other tools."""

    text = TextAreaField(
        lazy_gettext("The signed endorsement"),
        [
            DataRequired(lazy_gettext("Paste the text of the signed endorsement.")),
            Length(max=LARGEST),
        ],
        description=lazy_gettext(
            "An EndorsementCredential of Open Badges 3.0: JSON with a Data Integrity proof, or a"
            " JWT."
        ),
    )


class RevokeEndorsementForm(FlaskForm):  # type: ignore[misc]
    """Why an endorsement is taken back."""

    reason = StringField(
        lazy_gettext("Reason"),
        [Length(max=300)],
        filters=[tidy],
        description=lazy_gettext("Everybody can read it."),
    )
    passphrase = PasswordField(lazy_gettext("Passphrase of the key"), [Length(max=200)])

    def __init__(self, *, needs_passphrase: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if needs_passphrase:
            self.passphrase.validators = (
                DataRequired(lazy_gettext("Type the passphrase.")),
                *self.passphrase.validators,
            )
            self.passphrase.flags.required = True
        else:
            del self.passphrase
