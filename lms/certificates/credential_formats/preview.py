"""How a layout would look: the real page, drawn with a made-up holder, as a picture."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _

from lms.certificates import facts as register
from lms.certificates.credential_formats.pdf import missing_in, page_of
from lms.certificates.errors import TextTooLong
from lms.certificates.layout_data import Layout
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.settings import settings
from lms.courses.models import Course

LONG_NAME = "María Fernanda Quispe Huanca de Gutiérrez-Łukasiewicz Ñáñez"
SMALL = 0.82  # below this share of the wished size text is hard to read on paper
WIDTH = 1100  # pixels


@dataclass(frozen=True)
class Preview:
    """png: the page, None when it cannot be drawn. warnings: what to mend, in words."""

    png: bytes | None
    warnings: Sequence[str]


def sample_facts(course: Course | None, layout: Layout) -> dict[str, Any]:
    """What a certificate of the course would say today, of a holder who does not exist."""
    today = clock.now().date()
    found: dict[str, Any] = {
        "shape": register.SHAPE,
        "holder": {"name": LONG_NAME, "salt": ""},
        "course": {
            "uuid": str(uuid.UUID(int=0)),
            "title": {
                "en": "Community water management",
                "es": "Gestión comunitaria del agua",
                "fr": "Gestion communautaire de l’eau",
                "pt": "Gestão comunitária da água",
            },
            "hours": 40.0,
            "weeks": 3,
            "outcomes": [
                {
                    "en": "Draw up a plan with a community",
                    "es": "Elaborar un plan con la comunidad",
                },
                {"en": "Measure flow and quality", "es": "Medir caudal y calidad"},
            ],
        },
        "run": {
            "uuid": str(uuid.UUID(int=0)),
            "starts_on": (today - timedelta(days=21)).isoformat(),
            "ends_on": today.isoformat(),
        },
        "completed_at": clock.now().isoformat(),
        "grade": 0.93,
        "pass_mark": 0.7,
        "assessment": {},
        "activities": 12,
        "organisations": [_name(_("Your organisation")), _name(_("A partner"))],
        "credits": [],
        "signatories": [{"name": "Rosa Mamani", "role": {}, "organisation": {}}],
        "issuer": {"name": settings().site_name, "url": settings().base_url + "/"},
        "alignments": [],
    }
    if course is not None:
        found |= register.of_course(course, layout)
    elif layout.signatories:
        found["signatories"] = register.signatories_of(layout)
    return found


def _name(text: str) -> dict[str, Any]:
    return {"uuid": str(uuid.UUID(int=0)), "name": {"en": text}, "website": None, "role": "owner"}


def sample(course: Course | None, layout: Layout, language: str, second: str | None) -> Credential:
    """A certificate that is never kept."""
    facts = sample_facts(course, layout)
    return Credential(
        uuid=uuid.UUID(int=0),
        code="XXXX-XXXX-XXXX-XXXX",
        language=language,
        second_language=second if second != language else None,
        holder_name=LONG_NAME,
        course_title="",
        facts_text=json.dumps(facts),
        issued_at=clock.now().replace(microsecond=0),
        valid_until=None,
        layout_version_id=None,
    )


def preview(
    layout: Layout, language: str, second: str | None = None, course: Course | None = None
) -> Preview:
    """Draw the page of a layout, with what should be mended before it is used."""
    warnings: list[str] = []
    try:
        page = page_of(sample(course, layout, language, second), layout)
    except TextTooLong:
        return Preview(None, [_("The text does not fit on one page. Shorten it.")])
    content: bytes = page.document.write_pdf()
    if page.scale < SMALL:
        warnings.append(
            _(
                "The text is set at %(share)s of its size to fit on the page. Shorten it.",
                share=f"{page.scale:.0%}",
            )
        )
    missing = missing_in(page.document)
    if missing:
        letters = " ".join(f"{sign} (U+{ord(sign):04X})" for sign in missing)
        warnings.append(
            _(
                "No installed font has these letters: %(letters)s. Nothing is issued with them.",
                letters=letters,
            )
        )
    return Preview(_png(content), warnings)


def _png(content: bytes) -> bytes:
    import pypdfium2  # a hundred milliseconds to load, and few processes ever show a preview

    document = pypdfium2.PdfDocument(content)
    try:
        page = document[0]
        picture = page.render(scale=WIDTH / page.get_width()).to_pil()
        file = io.BytesIO()
        picture.convert("P", palette=1, colors=128).save(file, "PNG", optimize=True)
        return file.getvalue()
    finally:
        document.close()
