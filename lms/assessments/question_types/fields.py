"""Form fields of authors: a text for each language of the course."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from wtforms import Field, Form, FormField, StringField, TextAreaField
from wtforms.validators import Length
from wtforms.widgets import TextArea, TextInput

from lms.assessments.question_types.numbers import number_text, read_number
from lms.config import LANGUAGES
from lms.core.text import current_language

MAX_TEXT = 10_000


def texts_form(languages: Sequence[str], *, rows: int = 0, most: int = MAX_TEXT) -> type[Form]:
    """Form class with one field for each language: a line, or an area of `rows` lines."""
    fields: dict[str, Any] = {}
    for code in languages:
        options: dict[str, Any] = {
            "label": LANGUAGES.get(code, code),
            "validators": [Length(max=most)],
            "render_kw": {"lang": code, **({"rows": rows} if rows else {})},
            "filters": [_clean],
        }
        fields[code] = TextAreaField(**options) if rows else StringField(**options)
    return type("TextsForm", (Form,), fields)


def _clean(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


class TextsField(FormField):  # type: ignore[type-arg]  # not generic when it runs
    """A text for each language; `is_folded` hides it until it is asked for."""

    def __init__(
        self,
        languages: Sequence[str],
        label: Any = None,
        *,
        rows: int = 0,
        most: int = MAX_TEXT,
        is_folded: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(texts_form(languages, rows=rows, most=most), label, **kwargs)
        self.type = "FormField"  # what templates tell fields by
        self.is_texts = True
        self.is_folded = is_folded


class LinesField(Field):
    """A list of texts, one on each line."""

    widget = TextArea()  # type: ignore[assignment]

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "\n".join(self.data or ())

    def process_formdata(self, valuelist: list[Any]) -> None:
        """The lines that hold something."""
        lines = str(valuelist[0]).splitlines() if valuelist else []
        self.data: list[str] = [line.strip() for line in lines if line.strip()]


class NumberText(Field):
    """A number as people write it in their language; `data` is int, float or None."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else number_text(self.data, current_language())

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read comma or point by the reader's language."""
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data: int | float | None = None
        if text:
            self.data = read_number(text, current_language())
            if self.data is None:
                raise ValueError(str(_("This is not a number.")))
