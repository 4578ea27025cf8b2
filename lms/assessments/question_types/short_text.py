"""Writing one or a few words."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, FormField

from lms.assessments.question_types.base import (
    QuestionType,
    Response,
    Settings,
    check_flag,
    check_keys,
)
from lms.assessments.question_types.fields import LinesField
from lms.config import LANGUAGES
from lms.core.text import fold, in_language
from lms.courses.errors import PackageError

MAX_SIGNS = 500
MAX_ALTERNATIVES = 100


class ShortText(QuestionType):
    """Right is each text in `accept`, whichever language it is listed for.

    Letter case and accents make no difference, unless `case_sensitive`; space around and double
    space never does. A response is the text as typed.
    """

    name = "short_text"
    label = lazy_gettext("Short text")
    xapi_interaction_type = "fill-in"
    template = "assessments/question_types/short_text.html"

    def check(self, document: Mapping[str, Any], where: str) -> dict[str, Any]:
        """`accept`: lists of texts by language; `case_sensitive`."""
        check_keys(document, ("accept", "case_sensitive"), where)
        listed = document.get("accept")
        if not isinstance(listed, Mapping):
            raise PackageError(
                f"{where}.accept", _("A list of accepted texts for each language is needed here.")
            )
        accept: dict[str, list[str]] = {}
        for code, texts in listed.items():
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise PackageError(f"{where}.accept.{code}", _("A list of texts is needed here."))
            kept = [text for text in texts if _plain(text)]
            if len(kept) > MAX_ALTERNATIVES or any(len(text) > MAX_SIGNS for text in kept):
                raise PackageError(f"{where}.accept.{code}", _("The texts are too many or long."))
            if kept:
                accept[str(code)] = kept
        if not accept:
            raise PackageError(f"{where}.accept", _("At least one accepted text is needed."))
        sensitive = check_flag(document.get("case_sensitive", False), f"{where}.case_sensitive")
        return {"accept": accept, "case_sensitive": sensitive}

    def form(self, languages: Sequence[str]) -> type[Form]:
        """One area of accepted texts for each language."""
        fields: dict[str, Any] = {
            code: LinesField(LANGUAGES.get(code, code), render_kw={"lang": code, "rows": 3})
            for code in languages
        }
        accept_form: type[Form] = type("AcceptForm", (Form,), fields)

        class ShortTextForm(Form):
            """What is special to this kind."""

            accept: FormField[Form] = FormField(
                accept_form,
                label=lazy_gettext("Accepted answers"),
                description=lazy_gettext(
                    "One on each line. An answer in any of the languages counts."
                ),
            )
            case_sensitive = BooleanField(lazy_gettext("Capital letters and accents matter"))

        return ShortTextForm

    def form_data(self, settings: Settings) -> dict[str, Any]:
        """The settings as they are."""
        return {"accept": {}, **settings}

    def form_document(self, form: Form) -> dict[str, Any]:
        """The fields as they are."""
        return {"accept": form["accept"].data, "case_sensitive": form["case_sensitive"].data}

    def read(
        self, settings: Settings, values: MultiDict[str, str], name: str, language: str
    ) -> Response:
        """The text without space around it."""
        return " ".join(values.get(name, "")[:MAX_SIGNS].split()) or None

    def grade(self, settings: Settings, response: Response) -> float:
        """1 when the text is one of the accepted."""
        if not isinstance(response, str):
            return 0.0
        form = _plain if settings["case_sensitive"] else _folded
        accepted = {form(text) for texts in settings["accept"].values() for text in texts}
        return 1.0 if form(response) in accepted else 0.0

    def describe_response(self, settings: Settings, response: Response) -> str:
        """The text."""
        return str(response or "")

    def describe_key(self, settings: Settings) -> str:
        """The first accepted text of the reader's language."""
        firsts = {code: texts[0] for code, texts in settings["accept"].items()}
        return in_language(firsts)

    def meaning(self, settings: Settings) -> object:
        """What is accepted, and how strictly."""
        return [settings["case_sensitive"], settings["accept"]]

    def xapi_response(self, settings: Settings, response: Response) -> str:
        """The text."""
        return str(response)

    def xapi_definition(self, settings: Settings) -> dict[str, Any]:
        """Each accepted text is a pattern of its own."""
        prefix = f"{{case_matters={str(settings['case_sensitive']).lower()}}}"
        texts = [text for texts in settings["accept"].values() for text in texts]
        return {"correctResponsesPattern": [prefix + text for text in dict.fromkeys(texts)]}


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _folded(text: str) -> str:
    return " ".join(fold(text).split())
