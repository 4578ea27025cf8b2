"""The shape of what people type about certificates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from lms.certificates.models import KeyScope, RevocationReason
from lms.certificates.services.issue import tidy_name
from lms.certificates.uploads import LARGEST_REPORT, MAX_TEXT
from lms.config import LANGUAGES

REASONS: dict[str, LazyString] = {
    RevocationReason.ERROR: lazy_gettext("It was issued by mistake or with a wrong content."),
    RevocationReason.MISCONDUCT: lazy_gettext("The result was not reached by fair means."),
    RevocationReason.HOLDER_REQUEST: lazy_gettext("The holder asked for it."),
    RevocationReason.OTHER: lazy_gettext("Another reason."),
}
ALL_REASONS = {
    **REASONS,
    RevocationReason.SUPERSEDED: lazy_gettext("It was replaced by a corrected certificate."),
}


class CodeForm(FlaskForm):  # type: ignore[misc]
    """A code to verify."""

    code = StringField(
        lazy_gettext("Code of the certificate"),
        validators=[
            DataRequired(lazy_gettext("Type the code that stands on the certificate.")),
            Length(max=MAX_TEXT),
        ],
        description=lazy_gettext(
            "It begins with PU and stands below the QR code. Capitals, spaces and dashes do not"
            " matter. You may also paste the link or the text of a digital certificate, from"
            " whatever issuer."
        ),
    )


class UploadForm(FlaskForm):  # type: ignore[misc]
    """A file to verify."""

    file = FileField(
        lazy_gettext("PDF, picture, JSON or JWT file of the certificate"),
        validators=[FileRequired(lazy_gettext("Choose the file that you were given."))],
        description=lazy_gettext(
            "Its digital signature is checked, whoever issued it. The file is read once and not"
            " kept."
        ),
    )


class PaperForm(FlaskForm):  # type: ignore[misc]
    """The signed report of a check, which the page hands back to have it put on paper."""

    report = HiddenField(validators=[DataRequired(), Length(max=LARGEST_REPORT)])


class RevocationForm(FlaskForm):  # type: ignore[misc]
    """Why a certificate is taken back."""

    reason = SelectField(
        lazy_gettext("Reason"),
        validators=[DataRequired()],
        choices=[SelectChoice(str(reason), text) for reason, text in REASONS.items()],
        description=lazy_gettext("Everybody who checks the certificate sees it."),
    )
    note = StringField(
        lazy_gettext("In your own words"),
        validators=[Length(max=300)],
        filters=[lambda text: " ".join(text.split()) if text else ""],
        description=lazy_gettext("Public too: write nothing about a person’s private matters."),
    )


class NameForm(FlaskForm):  # type: ignore[misc]
    """The name that a corrected certificate bears."""

    name = StringField(
        lazy_gettext("Name on the new certificate"),
        validators=[
            DataRequired(lazy_gettext("Write the name as it shall stand on the certificate.")),
            Length(max=120),
        ],
        filters=[lambda text: tidy_name(text) if text else ""],
    )
    keeps_layout = BooleanField(
        lazy_gettext("Keep the layout of the former certificate, even if there is a newer one")
    )


class LanguagesForm(FlaskForm):  # type: ignore[misc]
    """The one or two languages of a certificate."""

    first = SelectField(
        lazy_gettext("Language of the certificate"),
        validators=[DataRequired()],
        choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()],
    )
    second = SelectField(
        lazy_gettext("Second language beside it"),
        choices=[
            SelectChoice("", lazy_gettext("None")),
            *(SelectChoice(code, name) for code, name in LANGUAGES.items()),
        ],
    )


class RecordForm(FlaskForm):  # type: ignore[misc]
    """Which certificates one takes along in one file, and how."""

    codes = SelectMultipleField(
        lazy_gettext("Certificates"),
        validators=[DataRequired(lazy_gettext("Choose at least one certificate."))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    kind = RadioField(
        lazy_gettext("Kind of file"),
        choices=[
            SelectChoice("json", lazy_gettext("JSON, for wallets and most programs")),
            SelectChoice("jwt", lazy_gettext("JWT, for programs that ask for a token")),
        ],
        default="json",
    )
    as_shown = BooleanField(
        lazy_gettext("Leave out what strangers do not see"),
        description=lazy_gettext(
            "Your e-mail address, and the names and grades that you have chosen to hide."
        ),
    )

    def offer(self, certificates: Iterable[tuple[str, str]]) -> None:
        """The certificates to choose from, each with its code and title; all are ticked at
        first."""
        offered = dict(certificates)
        self.codes.choices = [SelectChoice(code, title) for code, title in offered.items()]
        if not self.is_submitted():
            self.codes.data = list(offered)


class ManyForm(FlaskForm):  # type: ignore[misc]
    """Many codes or files to verify."""

    codes = TextAreaField(
        lazy_gettext("Codes"),
        description=lazy_gettext(
            "One a line. With a name after a comma or a tab, the name is compared too."
        ),
    )
    file = FileField(
        lazy_gettext("Or a file"),
        description=lazy_gettext(
            "CSV, XLSX or JSON with a column of codes and, if you like, one of names; or a zip file"
            " of certificates, with a table names.csv or names.xlsx (file, name) to compare names."
            " At most 2,000 rows or 200 files."
        ),
    )

    def validate_codes(self, field: Any) -> None:
        """Something has to be there."""
        if not (field.data or "").strip() and not self.file.data:
            raise ValidationError(lazy_gettext("Paste at least one code, or choose a file."))


class VerificationKeyForm(FlaskForm):  # type: ignore[misc]
    """A key for a program."""

    name = StringField(
        lazy_gettext("What is it for?"),
        validators=[DataRequired(lazy_gettext("Name the program.")), Length(max=80)],
        description=lazy_gettext("Such as “Member register”."),
    )
    scopes = SelectMultipleField(
        lazy_gettext("What may it do?"),
        choices=[
            SelectChoice(str(KeyScope.VERIFY), lazy_gettext("Verify many certificates")),
            SelectChoice(str(KeyScope.REVOCATIONS), lazy_gettext("Learn of revocations")),
        ],
        validators=[DataRequired(lazy_gettext("Choose at least one."))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
