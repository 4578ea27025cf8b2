"""A question type: put steps in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Form, TextAreaField
from wtforms.validators import DataRequired

from lms.assessments.question_types.base import (
    QuestionType,
    Response,
    Settings,
    check_keys,
    check_texts,
)
from lms.core.text import current_language, in_language
from lms.courses.errors import PackageError


class Ordering(QuestionType):
    """`steps` is the right order, a list of {id, text}. A response is a list of step ids."""

    name = "ordering"
    label = "Put in order"
    xapi_interaction_type = "sequencing"
    template = "puente_example/ordering.html"

    def check(self, document: Mapping[str, Any], where: str) -> dict[str, Any]:
        """At least two steps with different ids."""
        check_keys(document, ("steps",), where)
        steps = document.get("steps")
        if not isinstance(steps, list) or len(steps) < 2:
            raise PackageError(f"{where}.steps", "At least two steps are needed.")
        kept = [
            {"id": str(step["id"]), "text": check_texts(step.get("text"), f"{where}.steps[{i}]")}
            for i, step in enumerate(steps)
        ]
        if len({step["id"] for step in kept}) != len(kept):
            raise PackageError(f"{where}.steps", "Each step needs an id of its own.")
        return {"steps": kept}

    def form(self, languages: Sequence[str]) -> type[Form]:
        """One line for each step, in the right order."""

        class OrderingForm(Form):
            """What is special to this kind."""

            steps = TextAreaField(
                "Steps in the right order, one a line", validators=[DataRequired()]
            )

        return OrderingForm

    def form_data(self, settings: Settings) -> dict[str, Any]:
        """The steps as lines."""
        return {"steps": "\n".join(in_language(s["text"]) for s in settings.get("steps", ()))}

    def form_document(self, form: Form) -> dict[str, Any]:
        """The lines as steps."""
        lines = [line.strip() for line in form["steps"].data.splitlines() if line.strip()]
        language = current_language()
        return {
            "steps": [{"id": f"s{i}", "text": {language: line}} for i, line in enumerate(lines, 1)]
        }

    def read(
        self, settings: Settings, values: MultiDict[str, str], name: str, language: str
    ) -> Response:
        """The ids in the order of the chosen places; None while places are missing or equal."""
        places = {step["id"]: values.get(f"{name}-{step['id']}", "") for step in settings["steps"]}
        if sorted(places.values()) != sorted(str(i) for i in range(1, len(places) + 1)):
            return None
        return sorted(places, key=lambda step_id: int(places[step_id]))

    def grade(self, settings: Settings, response: Response) -> float:
        """1 when the whole order is right."""
        return float(response == [step["id"] for step in settings["steps"]])

    def order(self, settings: Settings, random: Random) -> list[str]:
        """The steps shuffled."""
        ids = [step["id"] for step in settings["steps"]]
        random.shuffle(ids)
        return ids

    def describe_response(self, settings: Settings, response: Response) -> str:
        """The steps with arrows between them."""
        texts = {step["id"]: in_language(step["text"]) for step in settings["steps"]}
        return " → ".join(texts.get(step_id, "") for step_id in response or ())

    def describe_key(self, settings: Settings) -> str:
        """The right order."""
        return self.describe_response(settings, [step["id"] for step in settings["steps"]])

    def meaning(self, settings: Settings) -> object:
        """The right order of ids."""
        return [step["id"] for step in settings["steps"]]

    def xapi_response(self, settings: Settings, response: Response) -> str:
        """Ids joined as xAPI asks for sequences."""
        return "[,]".join(response or ())

    def xapi_definition(self, settings: Settings) -> dict[str, Any]:
        """The right order and the steps."""
        return {
            "correctResponsesPattern": ["[,]".join(step["id"] for step in settings["steps"])],
            "choices": [
                {"id": step["id"], "description": step["text"]} for step in settings["steps"]
            ],
        }
