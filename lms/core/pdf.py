"""Pages of ours on paper."""

from __future__ import annotations

from typing import Any


def html_to_pdf(html: str, *, for_archives: bool = False) -> bytes:
    """A page as tagged PDF (PDF/UA-1), made of its own text alone: nothing is fetched.

    for_archives: as PDF/A-3a instead (ISO 19005-3, level A: tagged as well), which is read the same
    in many years.
    """
    from weasyprint import HTML  # a second to load, and few processes ever draw a page

    variant = "pdf/a-3a" if for_archives else "pdf/ua-1"
    content: bytes = HTML(string=html, url_fetcher=_fetch_nothing).write_pdf(pdf_variant=variant)
    return content


def _fetch_nothing(url: str, *rest: Any, **options: Any) -> Any:
    raise ValueError(f"a document loads nothing from outside: {url}")
