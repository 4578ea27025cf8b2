"""How often strangers may ask: wrong codes are counted, right ones hardly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Response, request

from lms.core.limits import limiter
from lms.core.web import SAFE_METHODS

View = TypeVar("View", bound=Callable[..., Any])


def _failed(response: Response) -> bool:
    return response.status_code >= 400


def _is_reading() -> bool:
    return request.method in SAFE_METHODS


def limit_guesses(view: View) -> View:
    """60 unknown codes in ten minutes from one address, counted over all pages together."""
    limit = limiter.shared_limit("60 per 10 minutes", scope="verify", deduct_when=_failed)
    return cast(View, limit(view))


def limit_uploads(view: View) -> View:
    """30 files in ten minutes from one address."""
    return cast(View, limiter.limit("30 per 10 minutes", exempt_when=_is_reading)(view))


def is_code(typed: str) -> bool:
    """Whether something typed can be meant for a code: neither a link nor a text."""
    return len(typed) <= 100 and "://" not in typed and "{" not in typed


def _is_typed_code() -> bool:
    return _is_reading() or is_code(request.form.get("by-code-code", ""))


def limit_texts(view: View) -> View:
    """30 links or texts in ten minutes from one address; codes are counted on their page."""
    limit = limiter.shared_limit("30 per 10 minutes", scope="texts", exempt_when=_is_typed_code)
    return cast(View, limit(view))


def limit_looks(view: View) -> View:
    """120 counted looks in ten minutes from one address."""
    return cast(View, limiter.limit("120 per 10 minutes")(view))


def limit_batches(view: View) -> View:
    """60 batches in ten minutes from one address, in the browser and by programs."""
    limit = limiter.shared_limit("60 per 10 minutes", scope="batches", exempt_when=_is_reading)
    return cast(View, limit(view))


def limit_registrations(view: View) -> View:
    """20 registrations of programs in an hour from one address."""
    return cast(View, limiter.limit("20 per hour")(view))


def limit_tokens(view: View) -> View:
    """300 questions for tokens in ten minutes from one address."""
    return cast(View, limiter.shared_limit("300 per 10 minutes", scope="tokens")(view))


def limit_offers(view: View) -> View:
    """30 offers to wallets in ten minutes from one address."""
    return cast(View, limiter.limit("30 per 10 minutes")(view))


def limit_records(view: View) -> View:
    """30 files of several certificates in ten minutes from one address."""
    return cast(View, limiter.limit("30 per 10 minutes")(view))


def limit_programs(view: View) -> View:
    """600 questions of programs in ten minutes from one address."""
    return cast(View, limiter.shared_limit("600 per 10 minutes", scope="programs")(view))


def limit_papers(view: View) -> View:
    """30 reports on paper in ten minutes from one address: each takes a moment to draw."""
    return cast(View, limiter.shared_limit("30 per 10 minutes", scope="papers")(view))
