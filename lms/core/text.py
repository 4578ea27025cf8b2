"""Texts: picking a language, folding accents for search, slugs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from babel import Locale
from flask import g
from flask_babel import get_locale

from lms.config import LANGUAGES

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


def present_locale() -> Locale | None:
    """The locale of the present page or mail.

    Asked hundreds of times a page, so it looks first where Flask-Babel has put it.
    """
    try:
        known: Locale | None = g._get_current_object()._flask_babel.babel_locale
    except (AttributeError, RuntimeError):  # not asked before, or no application at hand
        known = None
    return known or get_locale()


def current_language() -> str:
    """The language of the present page or mail: one of en, es, fr, pt."""
    locale = present_locale()
    return locale.language if locale is not None and locale.language in LANGUAGES else "en"


def in_language(texts: Mapping[str, str] | None, language: str | None = None) -> str:
    """The text in `language` (the reader's when None), else in the first language there is."""
    if not texts:
        return ""
    wanted = language or current_language()
    return texts.get(wanted) or texts.get("en") or next((t for t in texts.values() if t), "")


def language_of(texts: Mapping[str, str] | None, language: str | None = None) -> str | None:
    """The language that `in_language` gives, for the `lang` attribute."""
    if not texts:
        return None
    wanted = language or current_language()
    for code in (wanted, "en", *texts):
        if texts.get(code):
            return code
    return None


def fold(text: str) -> str:
    """Lower case without accents, for searching: "Gestión" -> "gestion"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def search_words(query: str) -> list[str]:
    """The folded words of a search query, at most eight."""
    return [word for word in _NOT_WORD.split(fold(query)) if word][:8]


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_SIGNS) else text


def slugify(text: str, fallback: str = "item") -> str:
    """An ASCII slug of at most 60 signs."""
    return _NOT_WORD.sub("-", fold(text)).strip("-")[:60].strip("-") or fallback
