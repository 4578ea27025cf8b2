"""What a layout of the certificate may say: data, checked whole, never code.

Colours keep text readable (WCAG 2.2, 1.4.3), texts know named placeholders alone, and what says
whether a certificate is genuine (name, course, code, QR) always stands on the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lms.config import LANGUAGES

FIELDS: dict[str, LazyString] = {
    "dates": lazy_gettext("Dates"),
    "work": lazy_gettext("Work"),
    "grade": lazy_gettext("Grade"),
    "assessment": lazy_gettext("Assessed by"),
    "credits": lazy_gettext("Continuing education"),
    "accreditations": lazy_gettext("Accredited by"),
    "issued_on": lazy_gettext("Issued on"),
    "valid_until": lazy_gettext("Valid until"),
}
TEXTS: dict[str, LazyString] = {
    "heading": lazy_gettext("Heading"),
    "certifies": lazy_gettext("Before the name"),
    "completed": lazy_gettext("Between name and course"),
    "note": lazy_gettext("Below the course"),
}
PLACEHOLDERS = ("course", "hours", "organisations", "first_day", "last_day")
INK, MUTED = "#1d2b33", "#57646b"
MOST_SIGNATORIES = 4
LONGEST_TEXT = 300
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class LayoutRefused(ValueError):
    """A part of a layout cannot be used. where: the part, "accent" or "texts.es.heading"."""

    def __init__(self, where: str, text: LazyString) -> None:
        self.where, self.text = where, text
        super().__init__(f"{where}: {text}")


@dataclass(frozen=True)
class Signatory:
    """Who signs: name, role by language, organisation, and the file of a drawn signature."""

    name: str
    role: dict[str, str] = field(default_factory=dict)
    organisation: str = ""
    picture: int | None = None


@dataclass(frozen=True)
class Layout:
    """A layout. Empty `signatories` leave those of the course, empty `texts` Puente's own words.

    fields: what stands in the panel, in this order. logo, partner_logo: numbers of stored files.
    """

    paper: Literal["a4", "letter"] = "a4"
    accent: str = "#0e5a6b"
    heading: str = "#b84a28"
    panel: str = "#f3ede2"
    page: str = "#fdfbf7"
    band: Literal["woven", "plain", "none"] = "woven"
    backdrop: Literal["bridge", "none"] = "bridge"
    side: Literal["right", "left"] = "right"
    fields: tuple[str, ...] = tuple(FIELDS)
    shows_outcomes: bool = True
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    signatories: tuple[Signatory, ...] = ()
    logo: int | None = None
    partner_logo: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The layout as it is kept."""
        return asdict(self)

    @property
    def files(self) -> set[int]:
        """The numbers of all stored files that it shows."""
        pictures = {person.picture for person in self.signatories}
        return {number for number in (*pictures, self.logo, self.partner_logo) if number}

    @property
    def words(self) -> list[str]:
        """All its own texts, in each language."""
        return [text for own in self.texts.values() for text in own.values()]

    def text(self, name: str, language: str) -> str:
        """One of its own texts in a language, "" when it has none."""
        return self.texts.get(language, {}).get(name, "")


def read_layout(data: Mapping[str, Any]) -> Layout:
    """A layout from JSON. Raises LayoutRefused for the first part that cannot be used."""
    values = dict(data)
    signatories = tuple(
        Signatory(
            name=str(one.get("name", "")).strip(),
            role={key: str(text).strip() for key, text in (one.get("role") or {}).items() if text},
            organisation=str(one.get("organisation", "")).strip(),
            picture=one.get("picture"),
        )
        for one in values.pop("signatories", ())
    )
    try:
        layout = Layout(
            **{**values, "fields": tuple(values.get("fields", FIELDS)), "signatories": signatories}
        )
    except TypeError as error:
        raise LayoutRefused(
            "layout", lazy_gettext("This layout has a part that Puente does not know.")
        ) from error
    _check_choices(layout)
    _check_colours(layout)
    _check_texts(layout.texts)
    _check_signatories(signatories)
    return layout


def _check_choices(layout: Layout) -> None:
    known = {
        "paper": ("a4", "letter"),
        "band": ("woven", "plain", "none"),
        "backdrop": ("bridge", "none"),
        "side": ("right", "left"),
    }
    for name, choices in known.items():
        if getattr(layout, name) not in choices:
            raise LayoutRefused(name, lazy_gettext("Choose one of the list."))
    if len(set(layout.fields)) != len(layout.fields) or not set(layout.fields) <= set(FIELDS):
        raise LayoutRefused("fields", lazy_gettext("Each field can stand in the panel once."))


def _check_colours(layout: Layout) -> None:
    for name in ("accent", "heading", "panel", "page"):
        if not _COLOUR.fullmatch(getattr(layout, name)):
            raise LayoutRefused(name, lazy_gettext("Write a colour as #0e5a6b."))
    pairs = (
        ("accent", layout.accent, layout.page),
        ("heading", layout.heading, layout.page),
        ("page", MUTED, layout.page),
        ("panel", MUTED, layout.panel),
        ("panel", layout.accent, layout.panel),
    )
    for name, text, ground in pairs:
        if contrast(text, ground) < 4.5:
            raise LayoutRefused(
                name,
                lazy_gettext(
                    "Text in %(ink)s on %(ground)s cannot be read well: the contrast is"
                    " %(ratio)s to 1, and 4.5 to 1 is needed.",
                    ink=text,
                    ground=ground,
                    ratio=f"{contrast(text, ground):.1f}",
                ),
            )


def _check_texts(texts: Mapping[str, Mapping[str, str]]) -> None:
    for language, own in texts.items():
        if language not in LANGUAGES or not set(own) <= set(TEXTS):
            raise LayoutRefused("texts", lazy_gettext("Choose one of the list."))
        for name, text in own.items():
            where = f"texts.{language}.{name}"
            if len(text) > LONGEST_TEXT:
                raise LayoutRefused(
                    where, lazy_gettext("At most %(most)s signs.", most=LONGEST_TEXT)
                )
            unknown = [one for one in _PLACEHOLDER.findall(text) if one not in PLACEHOLDERS]
            if unknown or "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
                raise LayoutRefused(
                    where,
                    lazy_gettext(
                        "Only these can stand in braces: %(names)s.",
                        names=", ".join(f"{{{name}}}" for name in PLACEHOLDERS),
                    ),
                )


def _check_signatories(signatories: Sequence[Signatory]) -> None:
    if len(signatories) > MOST_SIGNATORIES:
        raise LayoutRefused(
            "signatories", lazy_gettext("At most %(most)s people sign.", most=MOST_SIGNATORIES)
        )
    for number, person in enumerate(signatories):
        if not person.name or len(person.name) > 120:
            raise LayoutRefused(
                f"signatories.{number}.name", lazy_gettext("Who signs needs a name.")
            )


def fill(text: str, values: Mapping[str, str]) -> str:
    """A layout's text with its placeholders filled in."""
    return _PLACEHOLDER.sub(lambda found: values.get(found.group(1), ""), text)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, "contrast ratio"): 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
