"""Writing a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import Form
from wtforms.validators import InputRequired

from lms.assessments.question_types.base import (
    QuestionType,
    Response,
    Settings,
    check_keys,
    check_number,
    check_texts,
)
from lms.assessments.question_types.fields import NumberText, TextsField
from lms.assessments.question_types.numbers import MOST, number_text, read_number
from lms.core.text import current_language, in_language

MAX_SIGNS = 60


class Numerical(QuestionType):
    """Right is what lies within `tolerance` of `value`, both ends included.

    A response is {"text": as typed, "value": the number read from it, or None}.
    """

    name = "numerical"
    label = lazy_gettext("Number")
    xapi_interaction_type = "numeric"
    template = "assessments/question_types/numerical.html"

    def check(self, document: Mapping[str, Any], where: str) -> dict[str, Any]:
        """`value`, and where given `tolerance` and `unit`."""
        check_keys(document, ("value", "tolerance", "unit"), where)
        kept: dict[str, Any] = {
            "value": check_number(document.get("value"), f"{where}.value", least=-MOST, most=MOST),
            "tolerance": check_number(
                document.get("tolerance", 0), f"{where}.tolerance", least=0, most=MOST
            ),
        }
        unit = check_texts(document.get("unit"), f"{where}.unit", required=False)
        if unit:
            kept["unit"] = unit
        return kept

    def form(self, languages: Sequence[str]) -> type[Form]:
        """Value, tolerance and unit."""

        class NumericalForm(Form):
            """What is special to this kind."""

            value = NumberText(
                lazy_gettext("Right answer"),
                [InputRequired()],
                render_kw={"inputmode": "decimal"},
            )
            tolerance = NumberText(
                lazy_gettext("Tolerance"),
                description=lazy_gettext("An answer may differ by so much, up or down."),
                render_kw={"inputmode": "decimal"},
            )
            unit = TextsField(languages, lazy_gettext("Unit"), most=60)

        return NumericalForm

    def form_data(self, settings: Settings) -> dict[str, Any]:
        """The settings as they are."""
        return {"tolerance": 0, **settings}

    def form_document(self, form: Form) -> dict[str, Any]:
        """The fields as they are."""
        return {
            "value": form["value"].data,
            "tolerance": form["tolerance"].data or 0,
            "unit": form["unit"].data,
        }

    def read(
        self, settings: Settings, values: MultiDict[str, str], name: str, language: str
    ) -> Response:
        """What was typed, and the number in it."""
        text = values.get(name, "").strip()[:MAX_SIGNS]
        return {"text": text, "value": read_number(text, language)} if text else None

    def grade(self, settings: Settings, response: Response) -> float:
        """1 within the tolerance, reckoned in decimals so that 0.3 is not missed by a hair."""
        value = response.get("value") if isinstance(response, dict) else None
        if value is None:
            return 0.0
        difference = abs(Decimal(str(value)) - Decimal(str(settings["value"])))
        return 1.0 if difference <= Decimal(str(settings["tolerance"])) else 0.0

    def unit(self, settings: Settings) -> str:
        """The unit in the reader's language."""
        return in_language(settings.get("unit"))

    def note(self, response: Response) -> str | None:
        """What the learner should know about what they typed."""
        if response and response["value"] is None:
            return str(_("This is not a number. Write digits only, such as 12.5."))
        return None

    def describe_response(self, settings: Settings, response: Response) -> str:
        """The number in the reader's format, or what was typed when it is none."""
        if not response:
            return ""
        if response["value"] is None:
            return str(response["text"])
        return self._with_unit(settings, number_text(response["value"], current_language()))

    def describe_key(self, settings: Settings) -> str:
        """Value, tolerance and unit."""
        language = current_language()
        key = number_text(settings["value"], language)
        if settings["tolerance"]:
            key = f"{key} ± {number_text(settings['tolerance'], language)}"
        return self._with_unit(settings, key)

    def _with_unit(self, settings: Settings, number: str) -> str:
        unit = self.unit(settings)
        return f"{number} {unit}" if unit else number

    def meaning(self, settings: Settings) -> object:
        """Value and tolerance."""
        return [settings["value"], settings["tolerance"]]

    def xapi_response(self, settings: Settings, response: Response) -> str:
        """The number with a point, or what was typed."""
        value = response["value"]
        return str(response["text"]) if value is None else number_text(value, "en")

    def xapi_definition(self, settings: Settings) -> dict[str, Any]:
        """The range: "11.5[:]12.5"."""
        value, tolerance = (Decimal(str(settings[key])) for key in ("value", "tolerance"))
        least, most = (number_text(float(v), "en") for v in (value - tolerance, value + tolerance))
        return {"correctResponsesPattern": [f"{least}[:]{most}" if tolerance else least]}
