"""Values for the gallery of components: a form with every kind of field, a clock to count down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    FileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, Email, InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from lms.core import clock


class Boxes(SelectMultipleField):
    """Several choices, each with its box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class GalleryForm(FlaskForm):  # type: ignore[misc]
    """One field of every kind; sample texts, not translated."""

    name = StringField("Name", [DataRequired("Please write your name.")])
    email = EmailField("E-mail", [InputRequired("Please write your address."), Email()])
    country = SelectField(
        "Country",
        [InputRequired()],
        choices=[SelectChoice("BO", "Bolivia"), SelectChoice("CA", "Canada")],
    )
    start = DateField("Start", [Optional()])
    level = RadioField(
        "Level",
        choices=[SelectChoice("first", "First steps"), SelectChoice("advanced", "Advanced")],
    )
    topics = Boxes(
        "Topics",
        choices=[SelectChoice("participation", "Participation"), SelectChoice("trade", "Trade")],
    )
    agree = BooleanField("I agree to the terms")
    picture = FileField("Picture")
    comment = TextAreaField("Your post", [InputRequired("Please write something.")])
    page = TextAreaField("Page", [Optional()])


def gallery_values(*, with_errors: bool = False) -> dict[str, Any]:
    """What core/gallery.html needs; with_errors shows the form as it comes back."""
    form = GalleryForm()
    if with_errors:
        form.validate()
    present = clock.now()
    return {"form": form, "present": present, "deadline": present + timedelta(minutes=9)}
