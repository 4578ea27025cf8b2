"""Settings that may differ by language: a file for each, or one for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext
from wtforms import Form, TextAreaField
from wtforms.validators import ValidationError

from lms.core.text import in_language, language_of
from lms.courses.errors import PackageError
from lms.courses.media import PREFIX

Setting = str | Mapping[str, str] | None


def of_language(setting: Setting, language: str | None = None) -> str:
    """The value for the reader: the mapping's for their language, or the one for all."""
    return in_language(setting, language) if isinstance(setting, Mapping) else setting or ""


def setting_language(setting: Setting) -> str | None:
    """The language of what `of_language` gives; None when it is the same for all."""
    return language_of(setting) if isinstance(setting, Mapping) else None


def media_names(*settings: Setting) -> set[str]:
    """The names of the course's files that the settings refer to."""
    values: list[str] = []
    for setting in settings:
        values += setting.values() if isinstance(setting, Mapping) else [setting or ""]
    return {value.removeprefix(PREFIX) for value in values if value.startswith(PREFIX)}


def check_by_language(value: Any, where: str, key: str) -> None:
    """A text, or texts by language. Raises PackageError that names the key."""
    texts = list(value.values()) if isinstance(value, Mapping) else [value]
    codes = list(value) if isinstance(value, Mapping) else []
    if not texts or not all(isinstance(text, str) and text.strip() for text in [*texts, *codes]):
        raise PackageError(where, f"{key}: a text, or one for each language")


class ByLanguageField(TextAreaField):
    """One line for each language, "es: media/film.es.webm", or one line for all.

    Its data is what the setting keeps: a text, a mapping of language to text, or None.
    """

    data: Any

    def _value(self) -> str:
        if isinstance(self.data, Mapping):
            return "\n".join(f"{code}: {text}" for code, text in self.data.items())
        return str(self.data or "")

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the lines. Raises ValidationError when languages are given for some lines only."""
        lines = [line.strip() for line in (valuelist or [""])[0].splitlines() if line.strip()]
        pairs = [_pair(line) for line in lines]
        if not lines:
            self.data = None
        elif all(code for code, _text in pairs):
            self.data = dict(pairs)
        elif len(lines) == 1:
            self.data = lines[0]
        else:
            self.data = "\n".join(lines)
            raise ValueError(
                lazy_gettext(
                    "Write one line for all languages, or begin each line with its language:"
                    " “es: media/film.es.webm”."
                )
            )


def _pair(line: str) -> tuple[str, str]:
    code, colon, text = line.partition(":")
    is_code = bool(colon) and code.isalpha() and 2 <= len(code) <= 3 and not text.startswith("//")
    return (code.lower(), text.strip()) if is_code and text.strip() else ("", line)


def is_known_reference(form: Form, field: ByLanguageField) -> None:
    """Validator: files are called "media/<name>"."""
    values = field.data.values() if isinstance(field.data, Mapping) else [field.data or ""]
    for value in values:
        if value and not value.startswith(PREFIX):
            raise ValidationError(
                lazy_gettext("Name a file of this course: “media/” and its name.")
            )
