"""The shape of what people type in forums."""

from __future__ import annotations

import re

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from wtforms import (
    Field,
    Form,
    HiddenField,
    IntegerField,
    MultipleFileField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from lms.config import LANGUAGES
from lms.core.choices import choices
from lms.core.templating import format_number
from lms.core.text import current_language
from lms.forums.models import MAX_FILES, MAX_TEXT, MAX_TITLE
from lms.forums.services.posts import Upload

MAX_REASON = 500  # signs
MAX_MINIMUM = 50  # posts
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # but tab and line feed


def clean_text(value: str | None) -> str:
    """What was typed with plain line ends, without control signs and space around it."""
    return _CONTROL.sub("", (value or "").replace("\r\n", "\n").replace("\r", "\n")).strip()


def clean_line(value: str | None) -> str:
    """What was typed on one line."""
    return " ".join(clean_text(value).split())


class MaxLength:
    """At most so many signs. The browser does not cut: what was pasted must not get lost."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, form: Form, field: Field) -> None:
        """Say how long the text is, and how long it may be."""
        length = len(field.data or "")
        if length > self.most:
            raise ValidationError(
                _(
                    "This text has %(length)s signs, and %(most)s at most are possible. Please"
                    " shorten it, or write it in two parts.",
                    length=format_number(length),
                    most=format_number(self.most),
                )
            )


class PostForm(FlaskForm):  # type: ignore[misc]
    """A post: text, language, files. `parent` is the post it replies to, empty: the first one."""

    text = TextAreaField(
        lazy_gettext("Your text"),
        filters=[clean_text],
        validators=[
            DataRequired(lazy_gettext("Write something first: an empty post cannot be kept.")),
            MaxLength(MAX_TEXT),
        ],
    )
    language = SelectField(
        lazy_gettext("Language of your text"),
        choices=choices(LANGUAGES.items()),
        default=current_language,
        description=lazy_gettext("So that screen readers read it aloud in the right way."),
    )
    files = MultipleFileField(
        lazy_gettext("Attachments"),
        description=lazy_gettext(
            "Up to three files of 10 MB each: pictures, PDF, office documents, text, CSV."
        ),
    )
    parent = HiddenField()

    def validate_files(self, field: MultipleFileField) -> None:
        """At most three."""
        if len(self.chosen) > MAX_FILES:
            raise ValidationError(_("A post can have three attachments at most."))

    @property
    def chosen(self) -> list[FileStorage]:
        """The files that were chosen; an empty field sends one without a name."""
        return [
            file
            for file in self.files.data or ()
            if isinstance(file, FileStorage) and file.filename
        ]

    @property
    def uploads(self) -> list[Upload]:
        """What was chosen, read."""
        return [Upload(file.filename or "", file.read()) for file in self.chosen]

    @property
    def parent_id(self) -> int | None:
        """The post it replies to, when one is named."""
        value = self.parent.data or ""
        return int(value) if value.isdecimal() and len(value) < 18 else None


class _Titled:
    title = StringField(
        lazy_gettext("Title"),
        filters=[clean_line],
        validators=[
            DataRequired(lazy_gettext("Give the discussion a title, so that others find it.")),
            MaxLength(MAX_TITLE),
        ],
        description=lazy_gettext("What is it about, in one line?"),
    )


class DiscussionForm(_Titled, PostForm):
    """A new discussion: its title and first post."""


class EditForm(PostForm):
    """Another text for one's own post. `version` is that of the text it was made of."""

    version = HiddenField()
    remove = SelectMultipleField(
        lazy_gettext("Take these attachments away"),
        coerce=int,
        validators=[Optional()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    @property
    def version_number(self) -> int:
        """The version that the form was made of, 0 when it says none."""
        value = self.version.data or ""
        return int(value) if value.isdecimal() and len(value) < 10 else 0


class EditOpeningForm(_Titled, EditForm):
    """Another text for the post that opens a discussion, or another title."""


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Why something is hidden; its author reads it."""

    reason = TextAreaField(
        lazy_gettext("Reason"),
        filters=[clean_text],
        validators=[
            DataRequired(lazy_gettext("Say why: the author is told, and can do better.")),
            MaxLength(MAX_REASON),
        ],
        description=lazy_gettext("The author reads these words."),
    )


class MoveForm(FlaskForm):  # type: ignore[misc]
    """Where something is moved to."""

    target = SelectField(lazy_gettext("Move to"), coerce=int, validators=[InputRequired()])


class ForumSettingsForm(Form):
    """Settings of a forum; the names are the keys of `Activity.settings`."""

    minimum_posts = IntegerField(
        lazy_gettext("Posts that complete it"),
        [Optional(), NumberRange(1, MAX_MINIMUM)],
        default=1,
        description=lazy_gettext("How many posts a learner writes, discussions or replies."),
    )
