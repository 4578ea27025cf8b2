"""Saying whether a sentence is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import Form, RadioField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from lms.assessments.question_types.base import (
    QuestionType,
    Response,
    Settings,
    check_flag,
    check_keys,
)


class TrueFalse(QuestionType):
    """The prompt is a sentence; `correct` says whether it is true. A response is a boolean."""

    name = "true_false"
    label = lazy_gettext("True or false")
    xapi_interaction_type = "true-false"
    template = "assessments/question_types/true_false.html"

    def check(self, document: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Only `correct`."""
        check_keys(document, ("correct",), where)
        return {"correct": check_flag(document.get("correct"), f"{where}.correct")}

    def form(self, languages: Sequence[str]) -> type[Form]:
        """Which of the two is right."""

        class TrueFalseForm(Form):
            """What is special to this kind."""

            correct = RadioField(
                lazy_gettext("The sentence is"),
                choices=[
                    SelectChoice("true", lazy_gettext("True")),
                    SelectChoice("false", lazy_gettext("False")),
                ],
                default="true",
            )

        return TrueFalseForm

    def form_data(self, settings: Settings) -> dict[str, Any]:
        """The key as the form's word."""
        return {"correct": "true" if settings.get("correct", True) else "false"}

    def form_document(self, form: Form) -> dict[str, Any]:
        """The key as a boolean."""
        return {"correct": form["correct"].data == "true"}

    def read(
        self, settings: Settings, values: MultiDict[str, str], name: str, language: str
    ) -> Response:
        """True, False, or None when neither was chosen."""
        return {"true": True, "false": False}.get(values.get(name, ""))

    def grade(self, settings: Settings, response: Response) -> float:
        """1 for the right one of the two."""
        return 1.0 if response is settings["correct"] else 0.0

    def describe_response(self, settings: Settings, response: Response) -> str:
        """The word."""
        if response is None:
            return ""
        return str(_("True") if response else _("False"))

    def describe_key(self, settings: Settings) -> str:
        """The word."""
        return self.describe_response(settings, settings["correct"])

    def meaning(self, settings: Settings) -> object:
        """The key."""
        return settings["correct"]

    def xapi_response(self, settings: Settings, response: Response) -> str:
        """The words of xAPI."""
        return "true" if response else "false"

    def xapi_definition(self, settings: Settings) -> dict[str, Any]:
        """The key."""
        return {"correctResponsesPattern": ["true" if settings["correct"] else "false"]}
