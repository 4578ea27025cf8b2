"""The certificate on paper: one page, PDF/A-3a and PDF/UA-1, the credential attached, sealed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import segno
from babel.dates import format_interval
from flask import current_app
from flask_babel import get_locale, lazy_gettext, ngettext
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select

from lms.certificates import open_badge
from lms.certificates.credential_formats.base import CredentialFormat
from lms.certificates.errors import MissingGlyphs, NotYetDrawn, TextTooLong
from lms.certificates.layout_data import TEXTS, Layout, fill
from lms.certificates.layout_models import LayoutVersion
from lms.certificates.models import Credential
from lms.certificates.paper import write_paper
from lms.certificates.services import keys
from lms.certificates.uploads import ATTACHMENT
from lms.core.db import db
from lms.core.files import read_file
from lms.core.language import speaking
from lms.core.models import StoredFile
from lms.core.settings import settings
from lms.core.templating import format_long_date, format_number
from lms.core.text import in_language, language_of

if TYPE_CHECKING:
    from weasyprint import Document

# WeasyPrint takes a second to load and only the worker draws, so it is imported where it is used.

# The text is set ever smaller until it fits on its page.
_SCALES = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7, 0.64, 0.58, 0.52)


class Pdf(CredentialFormat):
    """One A4 page in the certificate's language."""

    name = "pdf"
    label = lazy_gettext("Certificate (PDF)")
    media_type = "application/pdf"
    file_ending = "pdf"

    def make(self, credential: Credential) -> bytes:
        """Draw the page and seal it.

        Raises CannotDraw when it would not show everything, and IssuerKeyUnavailable.
        """
        return keys.seal_pdf(self.draw(credential))

    def draw(self, credential: Credential) -> bytes:
        """The page without seal: the same bytes each time. Raises CannotDraw."""
        from weasyprint import Attachment

        layout = layout_of(credential)
        document = page_of(credential, layout).document
        content = write_paper(
            document,
            credential.uuid.bytes,
            [
                Attachment(
                    string=credential.document,
                    name=ATTACHMENT,
                    description="Open Badges 3.0",
                    relationship="Source",
                    created=credential.issued_at,
                    modified=credential.issued_at,
                )
            ],
        )
        missing = missing_in(document)
        if missing:
            letters = " ".join(f"{sign} (U+{ord(sign):04X})" for sign in missing)
            raise MissingGlyphs(f"No installed font has: {letters}")
        return content

    def make_public(self, credential: Credential) -> bytes | None:
        """The PDF as it was drawn; none when the holder hides name or grade, as it bears both.

        Raises NotYetDrawn.
        """
        if not credential.hides_nothing:
            return None
        if credential.pdf_file is None:
            raise NotYetDrawn
        return read_file(credential.pdf_file)


def layout_of(credential: Credential) -> Layout:
    """The layout that the certificate was issued with, whatever became of it since."""
    if credential.layout_version_id is None:
        return Layout()
    return db.session.get_one(LayoutVersion, credential.layout_version_id).content


@dataclass(frozen=True)
class Page:
    """A drawn page. scale: how much smaller than wished its text is set, 1 for not at all."""

    document: Document
    scale: float


def page_of(credential: Credential, layout: Layout) -> Page:
    """Set the certificate's page. Raises TextTooLong."""
    second = None
    if credential.second_language:
        with speaking(credential.second_language):
            second = page_values(credential, credential.second_language, layout)
    with speaking(credential.language):
        values = page_values(credential, credential.language, layout)
        return _fit({**values, "second": second}, layout)


def missing_in(document: Document) -> str:
    """The signs of a page that no font has; known when it has been written."""
    missing = {point for font in document.fonts.values() for point in font.missing}
    return "".join(chr(point) for point in sorted(missing))


def pictures_of(layout: Layout) -> dict[str | int, str]:
    """The layout's pictures as data: addresses, by what they are and by their number."""
    rows = db.session.scalars(select(StoredFile).where(StoredFile.id.in_(layout.files)))
    found: dict[str | int, str] = {}
    for row in rows:
        content = base64.b64encode(read_file(row)).decode()
        found[row.id] = f"data:{row.media_type};base64,{content}"
    for name, number in (("logo", layout.logo), ("partner_logo", layout.partner_logo)):
        if number in found:
            found[name] = found[number]
    return found


def page_values(credential: Credential, language: str, layout: Layout) -> dict[str, Any]:
    """What stands on the page, in the present language; `language` is its code."""
    facts = credential.facts
    run, course = facts["run"], facts["course"]
    first, last = (date.fromisoformat(run[day]) for day in ("starts_on", "ends_on"))
    address = open_badge.page_address(credential.code)
    return {
        "credential": credential,
        "language": language,
        "layout": layout,
        "pictures": pictures_of(layout) if layout.files else {},
        "words": _words(facts) | _own_words(layout, language, facts),
        "title": in_language(course["title"]),
        "title_language": language_of(course["title"]),
        "name": credential.holder_name,
        "dates": format_interval(first, last, "yMMMMd", locale=get_locale()),
        "issued_on": format_long_date(credential.issued_at.date()),
        "valid_until": credential.valid_until and format_long_date(credential.valid_until.date()),
        "hours": course["hours"],
        "outcomes": [text for text in map(in_language, course["outcomes"]) if text],
        "outcome_languages": [language_of(one) for one in course["outcomes"] if in_language(one)],
        "grade": facts["grade"],
        "pass_mark": facts["pass_mark"],
        "assessment": open_badge.assessment_text(facts),
        "organisations": [in_language(o["name"]) for o in facts["organisations"]],
        "credits": facts["credits"],
        "accreditations": [_accreditation(one) for one in facts.get("accreditations", [])],
        "signatories": facts["signatories"],
        "address": address,
        "short_address": f"{settings().base_url}/verify".split("://", 1)[-1],
        "qr": Markup(_qr(address)),  # noqa: S704 - drawn from our own address
        "site_name": settings().site_name,
    }


def _words(facts: dict[str, Any]) -> dict[str, str]:
    """The page's own words in the present language."""
    names = " · ".join(in_language(o["name"]) for o in facts["organisations"])
    return {
        "heading": _("Certificate of completion"),
        "certifies": _("This is to certify that"),
        "completed": _("has successfully completed the course"),
        "taught_by": _("taught by %(names)s", names=names),
        "outcomes": _("Learning outcomes"),
        "dates": _("Dates"),
        "work": _("Work"),
        "hours": _hours(facts),
        "grade": _("Grade"),
        "assessed_by": _("Assessed by"),
        "credits": _("Continuing education"),
        "accreditation": _("Accredited by"),
        "issued_on": _("Issued on"),
        "valid_until": _("Valid until"),
        "check": _("Anyone can check this certificate with its code:"),
    }


def _hours(facts: dict[str, Any]) -> str:
    """The hours of work, and apart from them those that were waived."""
    hours = facts["course"]["hours"]
    text = str(
        ngettext("%(hours)s hour", "%(hours)s hours", round(hours), hours=format_number(hours, 1))
    )
    waived = facts.get("waived")
    if waived:
        more = format_number(waived["hours"], 1)
        text += " " + _("(and %(hours)s h waived for prior learning)", hours=more)
    return text


def _own_words(layout: Layout, language: str, facts: dict[str, Any]) -> dict[str, str]:
    """What the layout says in its own words, with its placeholders filled in."""
    run, course = facts["run"], facts["course"]
    values = {
        "course": in_language(course["title"]),
        "hours": format_number(course["hours"], 1),
        "organisations": " · ".join(in_language(o["name"]) for o in facts["organisations"]),
        "first_day": format_long_date(date.fromisoformat(run["starts_on"])),
        "last_day": format_long_date(date.fromisoformat(run["ends_on"])),
    }
    own = {name: fill(layout.text(name, language), values) for name in TEXTS}
    return {name: text for name, text in own.items() if text or name == "note"}


def _accreditation(one: dict[str, Any]) -> dict[str, str]:
    """What held on the day of the award: body, number, scope, from and to."""
    first = format_long_date(date.fromisoformat(one["starts_on"]))
    if one["ends_on"]:
        last = format_long_date(date.fromisoformat(one["ends_on"]))
        days = _("%(first)s to %(last)s", first=first, last=last)
    else:
        days = _("since %(first)s", first=first)
    return {
        "name": in_language(one["association"]["name"]),
        "number": one["number"],
        "more": " · ".join(filter(None, (one["scope"], str(days)))),
    }


def _qr(address: str) -> str:
    drawn: str = segno.make(address, error="m", micro=False).svg_inline(
        border=4, dark="#1d2b33", light="#ffffff", omitsize=True, title=address
    )
    return drawn


def _fit(values: dict[str, Any], layout: Layout) -> Page:
    """The page with the largest text that fits on it. Raises TextTooLong."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    template = current_app.jinja_env.get_template("certificates/pdf/certificate.html")
    # the page is made of its own text and pictures; nothing is read from the network or the disk
    page = HTML(
        string=template.render(values),
        base_url=None,
        url_fetcher=URLFetcher(allowed_protocols=("data",)),
    )
    fonts = FontConfiguration()
    sheet = files("lms.certificates").joinpath("templates/certificates/pdf/certificate.css")
    style = sheet.read_text(encoding="utf-8") + layout_css(layout)
    for scale in _SCALES:
        size = CSS(string=f":root {{ font-size: {11.5 * scale:.2f}pt }}", font_config=fonts)
        styles = [CSS(string=style, font_config=fonts), size]
        document: Document = page.render(stylesheets=styles, font_config=fonts)
        if len(document.pages) == 1 and _is_apart(document.pages[0].anchors):
            return Page(document, scale)
    raise TextTooLong("The text does not fit on one page")


def _is_apart(places: Mapping[str, Sequence[float]]) -> bool:
    """Whether the facts end above the code, which is cut off the page when they are far too long.

    places: left, top, right, bottom of what has an id.
    """
    return "proof" in places and places["facts"][3] <= places["proof"][1]


def layout_css(layout: Layout) -> str:
    """What a layout changes of the style sheet; nothing for Puente's own. All of it is checked."""
    if layout == Layout():
        return ""
    rules = [
        f".course, .brand, .proof-address {{ color: {layout.accent} }}",
        f"h1, .outcomes li::marker {{ color: {layout.heading} }}",
        f".strip.is-plain {{ background: {layout.accent} }}",
        f"aside {{ background: {layout.panel} }}",
        f"@page {{ background: {layout.page} }}",
    ]
    width, height = (279.4, 215.9) if layout.paper == "letter" else (297, 210)
    left, right = (20, 92) if layout.side == "right" else (92, 20)
    text = width - left - right
    rules += [
        f"@page {{ size: {width}mm {height}mm; margin: 21mm {right}mm 47mm {left}mm }}",
        f".strip {{ left: -{left}mm; width: {width}mm }}",
        f".bridge {{ left: -{left}mm; width: {width - 75}mm }}",
        f".signatories {{ width: {text}mm }}",
    ]
    if layout.side == "left":
        rules.append("aside { right: auto; left: -92mm }")
        rules.append(".bridge { left: auto; right: -20mm }")
    return "\n" + "\n".join(rules)
