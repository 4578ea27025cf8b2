"""Language and time zone of the reader: the account's, the session's, the browser's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, has_request_context, request, session
from flask_babel import Babel, force_locale
from flask_login import current_user

from lms.config import LANGUAGES
from lms.core.settings import settings

babel = Babel()


def choose_language() -> str:
    """`?lang=`, then the account's language, the session's, the browser's, the site's."""
    if not has_request_context():
        return settings().default_language
    wanted = request.args.get("lang")
    if wanted in LANGUAGES:
        return str(wanted)
    if session.get("language") in LANGUAGES:
        return str(session["language"])
    if current_user.is_authenticated and current_user.language in LANGUAGES:
        return str(current_user.language)
    best = request.accept_languages.best_match(list(LANGUAGES), default=settings().default_language)
    return best or settings().default_language


def choose_time_zone() -> str:
    """The account's time zone, else the site's."""
    if has_request_context() and current_user.is_authenticated:
        return str(current_user.time_zone)
    return settings().default_time_zone


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Texts and formats inside are in `language`: for mails and documents of other people."""
    with force_locale(language):
        yield


def init_language(app: Flask) -> None:
    """Let Flask-Babel ask us for language and time zone."""
    options: dict[str, Any] = {
        "locale_selector": choose_language,
        "timezone_selector": choose_time_zone,
    }
    babel.init_app(app, **options)
