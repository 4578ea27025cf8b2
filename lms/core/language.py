"""Language and time zone of the reader: the account's, the session's, the browser's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, Domain, force_locale, get_translations
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

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
    babel.domain_instance = Catalogues()
    texts: dict[str, Any] = {"gettext": _gettext, "ngettext": _ngettext, "_": _gettext}
    app.jinja_env.globals.update(texts)


class Catalogues(Domain):  # type: ignore[misc]
    """Finds the catalogue once for a language of a request, not for each of its hundred texts."""

    def get_translations(self) -> NullTranslations:
        """The texts in the present language."""
        try:
            context: Any = g._flask_babel
        except (AttributeError, RuntimeError):
            return super().get_translations()  # type: ignore[no-any-return]
        # `force_locale` empties this attribute, and sets it back at its end
        found: NullTranslations | None = getattr(context, "babel_translations", None)
        if found is None:
            found = context.babel_translations = super().get_translations()
        return found


# As Jinja's own, but texts without values in them are not formatted.


@pass_eval_context
def _gettext(template: EvalContext, text: str, /, **values: Any) -> str:
    return _formatted(template, get_translations().gettext(text), values)


@pass_eval_context
def _ngettext(
    template: EvalContext, singular: str, plural: str, number: int, /, **values: Any
) -> str:
    values.setdefault("num", number)
    return _formatted(template, get_translations().ngettext(singular, plural, number), values)


def _formatted(template: EvalContext, text: str, values: dict[str, Any]) -> str:
    if template.autoescape:
        text = Markup(text)  # noqa: S704 - from a catalogue; values are escaped by formatting
    return text % values if "%" in text else text
