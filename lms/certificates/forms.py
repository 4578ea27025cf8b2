"""The shape of what people type about certificates."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext, ngettext
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, Length

from lms.certificates.models import RevocationReason
from lms.certificates.services.issue import tidy_name
from lms.certificates.uploads import MAX_TEXT

MOST_AT_ONCE = 200
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


class ManyForm(FlaskForm):  # type: ignore[misc]
    """Many codes to verify."""

    codes = TextAreaField(
        lazy_gettext("Codes"),
        validators=[DataRequired(lazy_gettext("Paste at least one code."))],
        description=lazy_gettext("One code a line, or separated by commas. At most 200."),
    )

    def wanted(self) -> list[str]:
        """The codes, each once, in their order."""
        parts = re.split(r"[\n,;\t]+", self.codes.data or "")
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))

    def validate_codes(self, field: Any) -> None:
        """Refuse more than can be answered at once."""
        count = len(self.wanted())
        if count > MOST_AT_ONCE:
            raise ValidationError(
                ngettext(
                    "This is %(num)s code. Paste at most 200 at once.",
                    "These are %(num)s codes. Paste at most 200 at once.",
                    count,
                )
            )
