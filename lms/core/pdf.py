"""Pages of ours on paper."""

from __future__ import annotations

from typing import Any


def html_to_pdf(html: str) -> bytes:
    """A page as tagged PDF (PDF/UA-1), made of its own text alone: nothing is fetched."""
    from weasyprint import HTML  # a second to load, and few processes ever draw a page

    content: bytes = HTML(string=html, url_fetcher=_fetch_nothing).write_pdf(pdf_variant="pdf/ua-1")
    return content


def _fetch_nothing(url: str, *rest: Any, **options: Any) -> Any:
    raise ValueError(f"a document loads nothing from outside: {url}")
