"""The shape of what people type about layouts of the certificate."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    URLField,
)
from wtforms.validators import URL, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import ColorInput

from lms.certificates.layout_data import FIELDS, LONGEST_TEXT, MOST_SIGNATORIES, TEXTS
from lms.config import LANGUAGES
from lms.core.choices import choices
from lms.core.text import in_language
from lms.courses.models import Course


class _SignatoryForm(Form):
    """One who signs; a row without a name is left out."""

    name = StringField(lazy_gettext("Name"), [Length(max=120)])
    organisation = StringField(lazy_gettext("Organisation"), [Length(max=120)])
    picture = HiddenField()


for _language in LANGUAGES:
    setattr(
        _SignatoryForm,
        f"role_{_language}",
        StringField(
            lazy_gettext("Role (%(language)s)", language=LANGUAGES[_language]), [Length(max=120)]
        ),
    )


class LayoutForm(FlaskForm):  # type: ignore[misc]
    """A layout: its name, look, panel, words, signatories and pictures."""

    name = StringField(
        lazy_gettext("Name of the layout"),
        [InputRequired(lazy_gettext("Give the layout a name.")), Length(max=80)],
    )
    paper = RadioField(
        lazy_gettext("Paper"),
        choices=choices([("a4", lazy_gettext("A4")), ("letter", lazy_gettext("Letter"))]),
    )
    side = RadioField(
        lazy_gettext("Panel with dates and code"),
        choices=choices(
            [("right", lazy_gettext("At the right")), ("left", lazy_gettext("At the left"))]
        ),
    )
    band = RadioField(
        lazy_gettext("Band at the top"),
        choices=choices(
            [
                ("woven", lazy_gettext("Woven")),
                ("plain", lazy_gettext("One colour")),
                ("none", lazy_gettext("None")),
            ]
        ),
    )
    backdrop = RadioField(
        lazy_gettext("Behind the text"),
        choices=choices([("bridge", lazy_gettext("A bridge")), ("none", lazy_gettext("Nothing"))]),
    )
    accent = StringField(lazy_gettext("Colour of the course"), widget=ColorInput())
    heading = StringField(lazy_gettext("Colour of the heading"), widget=ColorInput())
    page = StringField(lazy_gettext("Colour of the page"), widget=ColorInput())
    panel = StringField(lazy_gettext("Colour of the panel"), widget=ColorInput())
    shows_outcomes = BooleanField(lazy_gettext("Show the learning outcomes"))
    signatories = FieldList(FormField(_SignatoryForm), max_entries=MOST_SIGNATORIES)
    logo = FileField(lazy_gettext("Logo instead of Puente’s (PNG or JPEG)"))
    partner_logo = FileField(lazy_gettext("Logo of a partner (PNG or JPEG)"))
    hand = FileField(lazy_gettext("Drawn signature of the first who signs (PNG or JPEG)"))
    remove_logo = BooleanField(lazy_gettext("Take the logo away"))
    remove_partner_logo = BooleanField(lazy_gettext("Take the partner’s logo away"))
    remove_hand = BooleanField(lazy_gettext("Take the drawn signature away"))
    language = SelectField(lazy_gettext("Preview in"), choices=choices(LANGUAGES.items()))
    second = SelectField(
        lazy_gettext("and in"),
        choices=choices([("", lazy_gettext("no second language")), *LANGUAGES.items()]),
    )


for _name, _label in FIELDS.items():
    setattr(
        LayoutForm,
        f"place_{_name}",
        IntegerField(_label, [Optional(), NumberRange(1, len(FIELDS))]),
    )
for _name, _label in TEXTS.items():
    for _language in LANGUAGES:
        setattr(
            LayoutForm,
            f"text_{_name}_{_language}",
            StringField(_label, [Optional(), Length(max=LONGEST_TEXT)]),
        )


class NewLayoutForm(FlaskForm):  # type: ignore[misc]
    """The name of a layout that is made or copied."""

    name = StringField(
        lazy_gettext("Name of the layout"),
        [InputRequired(lazy_gettext("Give the layout a name.")), Length(max=80)],
    )


class ChooseLayoutForm(FlaskForm):  # type: ignore[misc]
    """The layout of a course."""

    layout = RadioField(lazy_gettext("Layout of the certificates"))


class AlignmentForm(FlaskForm):  # type: ignore[misc]
    """What an outcome answers to in a framework elsewhere."""

    outcome = SelectField(lazy_gettext("Learning outcome"), coerce=int)
    framework = StringField(
        lazy_gettext("Framework"),
        [InputRequired(lazy_gettext("Name the framework.")), Length(max=200)],
    )
    code = StringField(lazy_gettext("Code in the framework"), [Optional(), Length(max=60)])
    name = TextAreaField(
        lazy_gettext("What the framework calls it"),
        [InputRequired(lazy_gettext("Write what the framework calls it.")), Length(max=300)],
    )
    url = URLField(
        lazy_gettext("Address of the entry"),
        [
            InputRequired(lazy_gettext("Give the address of the entry.")),
            URL(message=lazy_gettext("Write a whole address, with https://.")),
            Length(max=500),
        ],
    )

    def offer(self, course: Course) -> None:
        """The outcomes there are now."""
        outcomes = [
            (str(number), in_language(text)) for number, text in enumerate(course.outcomes, 1)
        ]
        self.outcome.choices = choices(outcomes)


def layout_values(form: LayoutForm, pictures: dict[str, int | None]) -> dict[str, Any]:
    """The layout that was typed, as JSON; pictures: logo, partner_logo and hand by number."""
    places = [(place, name) for name in FIELDS if (place := form[f"place_{name}"].data) is not None]
    texts: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        own = {name: (form[f"text_{name}_{language}"].data or "").strip() for name in TEXTS}
        own = {name: text for name, text in own.items() if text}
        if own:
            texts[language] = own
    signatories: list[dict[str, Any]] = []
    for row in form.signatories:
        name = (row.form.name.data or "").strip()
        if not name:
            continue
        role = {code: (row.form[f"role_{code}"].data or "").strip() for code in LANGUAGES}
        signatories.append(
            {
                "name": name,
                "organisation": (row.form.organisation.data or "").strip(),
                "role": {code: text for code, text in role.items() if text},
                "picture": pictures.get("hand") if not signatories else None,
            }
        )
    names = ("paper", "side", "band", "backdrop", "accent", "heading", "page", "panel")
    return {
        **{name: form[name].data for name in names},
        "shows_outcomes": bool(form.shows_outcomes.data),
        "fields": [name for _place, name in sorted(places)],
        "texts": texts,
        "signatories": signatories,
        "logo": pictures.get("logo"),
        "partner_logo": pictures.get("partner_logo"),
    }


def form_values(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """What the form shows of a layout's JSON."""
    values: dict[str, Any] = {"name": name, **data}
    for place, field in enumerate(data["fields"], 1):
        values[f"place_{field}"] = place
    for language, own in data["texts"].items():
        for text_name, text in own.items():
            values[f"text_{text_name}_{language}"] = text
    rows = [
        {
            "name": person["name"],
            "organisation": person["organisation"],
            **{f"role_{code}": text for code, text in person["role"].items()},
        }
        for person in data["signatories"]
    ]
    values["signatories"] = rows + [{} for _row in range(MOST_SIGNATORIES - len(rows))]
    for name in ("logo", "partner_logo"):
        values.pop(name, None)
    return values
