"""Language and time zone of the reader: the account's, the session's, the browser's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, Domain, force_locale
from flask_login import current_user
from flask_wtf import FlaskForm
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup
from wtforms.i18n import messages_path

from lms.config import LANGUAGES
from lms.core.settings import settings
from lms.core.text import present_locale

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
    babel.domain_instance = _catalogues
    FlaskForm.Meta.get_translations = lambda meta, form: FormTexts()
    texts: dict[str, Any] = {"gettext": _gettext, "ngettext": _ngettext, "_": _gettext}
    app.jinja_env.globals.update(texts)


class Catalogues(Domain):  # type: ignore[misc]
    """Finds the catalogue once for a language of a request, not for each of its hundred texts."""

    def get_translations(self) -> NullTranslations:
        """The texts in the present language."""
        try:
            context: Any = g._get_current_object()._flask_babel
        except (AttributeError, RuntimeError):
            return super().get_translations()  # type: ignore[no-any-return]
        # `force_locale` empties this attribute, and sets it back at its end
        found: NullTranslations | None = getattr(context, "babel_translations", None)
        if found is None:
            found = context.babel_translations = super().get_translations()
        return found

    def gettext(self, text: str, **values: Any) -> str:
        """The text in the present language, with the values in their places."""
        found = self.get_translations().gettext(text)
        return found % values if values else found


_catalogues = Catalogues()


class FormTexts:
    """What WTForms itself says. Flask-WTF reads its catalogue from the disk for each request."""

    def gettext(self, text: str) -> str:
        """The text in the present language."""
        return _form_catalogue(str(present_locale() or "en")).gettext(text)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The text for so many, in the present language."""
        return _form_catalogue(str(present_locale() or "en")).ngettext(singular, plural, number)


@lru_cache(maxsize=16)
def _form_catalogue(language: str) -> NullTranslations:
    return Translations.load(messages_path(), [language], domain="wtforms")


# As Jinja's own, but texts without values in them are not formatted, and 1.5 counts as two.


@pass_eval_context
def _gettext(template: EvalContext, text: str, /, **values: Any) -> str:
    return _formatted(template, _catalogues.get_translations().gettext(text), values)


@pass_eval_context
def _ngettext(
    template: EvalContext, singular: str, plural: str, number: float, /, **values: Any
) -> str:
    values.setdefault("num", number)
    count = 1 if number == 1 else max(2, round(number)) if isinstance(number, float) else number
    return _formatted(
        template, _catalogues.get_translations().ngettext(singular, plural, count), values
    )


def _formatted(template: EvalContext, text: str, values: dict[str, Any]) -> str:
    if template.autoescape:
        text = Markup(text)  # noqa: S704 - from a catalogue; values are escaped by formatting
    return text % values if "%" in text else text
