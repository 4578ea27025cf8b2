"""Choosing one answer, or all that are right, from several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, FieldList, Form, FormField, HiddenField

from lms.assessments.question_types.base import (
    QuestionType,
    Response,
    Settings,
    check_flag,
    check_keys,
    check_texts,
)
from lms.assessments.question_types.fields import TextsField
from lms.core.db import ByLanguage
from lms.core.text import in_language
from lms.courses.errors import PackageError

MAX_CHOICES = 20
SPARE_CHOICES = 2  # empty ones at the end of the authors' form
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


class MultipleChoice(QuestionType):
    """All right answers chosen and no wrong one: all points; anything else: none.

    Settings: `single`, and `choices` of `id`, `text`, and where there is one `correct` and
    `feedback`. A response is the sorted list of the chosen ids.
    """

    name = "multiple_choice"
    label = lazy_gettext("Multiple choice")
    xapi_interaction_type = "choice"
    template = "assessments/question_types/multiple_choice.html"

    def check(self, document: Mapping[str, Any], where: str) -> dict[str, Any]:
        """At least two choices with different ids, one or more of them right."""
        check_keys(document, ("single", "choices"), where)
        single = check_flag(document.get("single", True), f"{where}.single")
        listed = document.get("choices")
        if not isinstance(listed, list) or not 2 <= len(listed) <= MAX_CHOICES:
            raise PackageError(
                f"{where}.choices",
                _("A question needs 2 to %(most)d choices.", most=MAX_CHOICES),
            )
        choices = [self._check_choice(c, f"{where}.choices.{i}") for i, c in enumerate(listed)]
        if len({choice["id"] for choice in choices}) < len(choices):
            raise PackageError(f"{where}.choices", _("Two choices have the same id."))
        correct = sum(1 for choice in choices if choice.get("correct"))
        if not correct:
            raise PackageError(f"{where}.choices", _("No choice is marked as right."))
        if single and correct > 1:
            raise PackageError(
                f"{where}.choices",
                _("Only one choice can be right when a single answer is asked for."),
            )
        return {"single": single, "choices": choices}

    def _check_choice(self, choice: object, where: str) -> dict[str, Any]:
        if not isinstance(choice, Mapping):
            raise PackageError(where, _("A choice has an id and a text."))
        check_keys(choice, ("id", "text", "correct", "feedback"), where)
        id_ = str(choice.get("id", ""))
        if not _ID.match(id_) or len(id_) > 40:
            raise PackageError(
                f"{where}.id", _("An id has lower case letters, digits and hyphens only.")
            )
        kept: dict[str, Any] = {"id": id_}
        if check_flag(choice.get("correct", False), f"{where}.correct"):
            kept["correct"] = True
        kept["text"] = check_texts(choice.get("text"), f"{where}.text")
        feedback = check_texts(choice.get("feedback"), f"{where}.feedback", required=False)
        if feedback:
            kept["feedback"] = feedback
        return kept

    def form(self, languages: Sequence[str]) -> type[Form]:
        """Whether several are right, and the choices with room for more."""

        class ChoiceForm(Form):
            """One choice; left empty, it is not kept."""

            id = HiddenField()
            text = TextsField(languages, lazy_gettext("Text"))
            correct = BooleanField(lazy_gettext("This choice is right"))
            feedback = TextsField(
                languages, lazy_gettext("Feedback for who chose it"), rows=2, is_folded=True
            )

        class MultipleChoiceForm(Form):
            """What is special to this kind."""

            several = BooleanField(lazy_gettext("Several choices are right; all must be found"))
            choices = FieldList(
                FormField(ChoiceForm, label=lazy_gettext("Choice")),
                label=lazy_gettext("Choices"),
                min_entries=4,
                max_entries=MAX_CHOICES,
                description=lazy_gettext(
                    "Choices without a text are left out. Save to get room for more."
                ),
            )

        return MultipleChoiceForm

    def form_data(self, settings: Settings) -> dict[str, Any]:
        """The choices, and empty ones to fill in."""
        choices = [dict(choice) for choice in settings.get("choices", ())]
        spare = min(MAX_CHOICES, len(choices) + SPARE_CHOICES) - len(choices)
        return {
            "several": not settings.get("single", True),
            "choices": choices + [{"id": ""} for _number in range(spare)],
        }

    def form_document(self, form: Form) -> dict[str, Any]:
        """The filled choices; new ones get the next free letter."""
        entries: list[dict[str, Any]] = form["choices"].data
        entries = [entry for entry in entries if any(t.strip() for t in entry["text"].values())]
        used = {entry["id"] for entry in entries}
        free = (id_ for id_ in _letters() if id_ not in used)
        return {
            "single": not form["several"].data,
            "choices": [
                {
                    "id": entry["id"] or next(free),
                    "correct": entry["correct"],
                    "text": entry["text"],
                    "feedback": entry["feedback"],
                }
                for entry in entries
            ],
        }

    def read(
        self, settings: Settings, values: MultiDict[str, str], name: str, language: str
    ) -> Response:
        """The chosen ids that exist; only the first when a single answer is asked for."""
        known = {choice["id"] for choice in settings["choices"]}
        chosen = sorted({value for value in values.getlist(name) if value in known})
        if settings["single"]:
            chosen = chosen[:1]
        return chosen or None

    def grade(self, settings: Settings, response: Response) -> float:
        """1 when exactly the right choices were made, else 0."""
        if not isinstance(response, list):
            return 0.0
        return 1.0 if sorted(map(str, response)) == sorted(self._correct(settings)) else 0.0

    def _correct(self, settings: Settings) -> list[str]:
        return [choice["id"] for choice in settings["choices"] if choice.get("correct")]

    def feedback(self, settings: Settings, response: Response) -> list[ByLanguage]:
        """The feedback of each choice that was made; the fragment shows it beside the choice."""
        return [
            choice["feedback"]
            for choice in settings["choices"]
            if choice["id"] in (response or ()) and choice.get("feedback")
        ]

    def order(self, settings: Settings, random: Random) -> list[str]:
        """The choice ids, shuffled."""
        ids = [choice["id"] for choice in settings["choices"]]
        random.shuffle(ids)
        return ids

    def ordered(self, settings: Settings, order: Sequence[str]) -> list[dict[str, Any]]:
        """The choices in the order of the attempt; those added since come last."""
        places = {id_: place for place, id_ in enumerate(order)}
        return sorted(settings["choices"], key=lambda c: places.get(c["id"], len(places)))

    def _texts(self, settings: Settings, ids: Sequence[str]) -> str:
        texts = [in_language(c["text"]) for c in settings["choices"] if c["id"] in ids]
        return "; ".join(texts)

    def describe_response(self, settings: Settings, response: Response) -> str:
        """The texts of the chosen answers."""
        return self._texts(settings, response or ())

    def describe_key(self, settings: Settings) -> str:
        """The texts of the right answers."""
        return self._texts(settings, self._correct(settings))

    def meaning(self, settings: Settings) -> object:
        """Which choices there are, and which are right."""
        return sorted((c["id"], bool(c.get("correct"))) for c in settings["choices"])

    def xapi_response(self, settings: Settings, response: Response) -> str:
        """Ids joined by [,]."""
        return "[,]".join(response or ())

    def xapi_definition(self, settings: Settings) -> dict[str, Any]:
        """The choices and the right ones."""
        return {
            "correctResponsesPattern": ["[,]".join(sorted(self._correct(settings)))],
            "choices": [
                {"id": choice["id"], "description": choice["text"]}
                for choice in settings["choices"]
            ],
        }


def _letters() -> list[str]:
    return [chr(code) for code in range(ord("a"), ord("z") + 1)]
