"""The signed report of verifications on paper: PDF/A-3a and PDF/UA-1, the signed JSON attached,
sealed like a certificate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import current_app

from lms.certificates import queries
from lms.certificates.models import KeyUse
from lms.certificates.paper import write_paper
from lms.certificates.services import keys
from lms.certificates.uploads import REPORT
from lms.core.errors import NotFound
from lms.core.text import current_language

MOST_ROWS = 300  # on paper, which take about two seconds; the attached report holds all


def draw_report(
    report: str,
    at: datetime,
    *,
    checks: Sequence[tuple[bool | None, str]] = (),
    name_matches: Mapping[Any, Any] | None = None,
) -> bytes:
    """The signed report in the present language.

    report: the JSON text. checks: what was checked of a single certificate, in words; name_matches:
    how names were found to match, in words. Raises NotFound on a site that has sealed nothing yet,
    IssuerKeyUnavailable.
    """
    from weasyprint import HTML, Attachment
    from weasyprint.urls import URLFetcher

    if queries.find_signing_key(KeyUse.SEAL) is None:
        raise NotFound  # looking makes no key
    content: dict[str, Any] = json.loads(report)
    template = current_app.jinja_env.get_template("certificates/pdf/report.html")
    page = template.render(
        report=content,
        rows=content["rows"][:MOST_ROWS],
        checked_at=at,
        checks=checks,
        name_matches=name_matches or {},
        language=current_language(),
        digest=hashlib.sha256(report.encode()).hexdigest(),
    )
    # the page is made of its own text: nothing is read from the network or the disk
    html = HTML(string=page, base_url=None, url_fetcher=URLFetcher(allowed_protocols=()))
    attachment = Attachment(
        string=report,
        name=REPORT,
        description="VerificationReport, eddsa-jcs-2022",
        relationship="Source",
        created=at,
        modified=at,
    )
    identifier = hashlib.sha256(report.encode()).digest()[:16]
    drawn = write_paper(html.render(), identifier, [attachment])
    return keys.seal_pdf(drawn)
