"""What a kind of question must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

from flask import current_app
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import Form

from lms.core.db import ByLanguage
from lms.core.registry import Registered
from lms.core.text import current_language
from lms.courses.errors import PackageError

Settings = Mapping[str, Any]
Response = Any  # JSON, in the shape of the question type; None: not answered


@dataclass(frozen=True)
class Shown:
    """How a question is to be drawn.

    name: of its form controls; a type that needs several adds "-" and more. order: the choice ids
    in the order of this attempt, empty for the author's. is_result: read only, with `score`
    (0..1) and, when `with_key`, the right answer and the feedback for what was chosen.
    """

    name: str
    order: Sequence[str] = field(default_factory=tuple)
    is_result: bool = False
    with_key: bool = False
    score: float | None = None


class QuestionType(ABC):
    """One kind of question. A plugin gives one instance through the hook `question_types`.

    `settings` are the kept form of the keys that the kind adds to a question in a course package;
    `check` makes them and `document` gives the keys back.
    """

    name: ClassVar[str]  # as in Question.kind and in packages
    label: ClassVar[str | LazyString]
    xapi_interaction_type: ClassVar[str] = "other"  # xAPI 1.0.3, part two, 2.4.4.1
    template: ClassVar[str]  # of the HTML form fragment

    @abstractmethod
    def check(self, document: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The settings, from the kind's own keys of a question in a package.

        Raises PackageError that names `where` and what is wrong.
        """

    def document(self, settings: Settings) -> dict[str, Any]:
        """The kind's own keys of a question in a package: the opposite of `check`."""
        return dict(settings)

    @abstractmethod
    def form(self, languages: Sequence[str]) -> type[Form]:
        """Form class for authors of a course in these languages."""

    @abstractmethod
    def form_data(self, settings: Settings) -> dict[str, Any]:
        """What the authors' form shows for these settings."""

    @abstractmethod
    def form_document(self, form: Form) -> dict[str, Any]:
        """The kind's own keys, from a filled form; `check` then judges them."""

    def render(self, settings: Settings, response: Response, shown: Shown) -> Markup:
        """The controls of one question; read only for a result."""
        return render_fragment(
            self.template, settings=settings, response=response, shown=shown, kind=self
        )

    @abstractmethod
    def read(
        self, settings: Settings, values: MultiDict[str, str], name: str, language: str
    ) -> Response:
        """The response in sent form values; None when nothing was answered.

        language: the reader's, for numbers. Values that the form cannot have sent are ignored.
        """

    @abstractmethod
    def grade(self, settings: Settings, response: Response) -> float:
        """The share of the question's points that a response earns, 0..1."""

    def feedback(self, settings: Settings, response: Response) -> list[ByLanguage]:
        """Feedback of the kind's own for what was answered, beside the question's general one."""
        return []

    def order(self, settings: Settings, random: Random) -> list[str]:
        """The choice ids in a random order for one attempt; empty when there are none."""
        return []

    @abstractmethod
    def describe_response(self, settings: Settings, response: Response) -> str:
        """A response in words, in the reader's language."""

    @abstractmethod
    def describe_key(self, settings: Settings) -> str:
        """The right answer in words, in the reader's language."""

    @abstractmethod
    def meaning(self, settings: Settings) -> object:
        """What answers are judged by. When it changes, old responses need the old question."""

    def xapi_response(self, settings: Settings, response: Response) -> str:
        """A response as in xAPI's `result.response`."""
        return str(response)

    def xapi_definition(self, settings: Settings) -> dict[str, Any]:
        """Keys of the xAPI definition: `correctResponsesPattern`, `choices`."""
        return {}


def render_fragment(template: str, **values: Any) -> Markup:
    """A part of a page, drawn without asking again for what only whole pages need."""
    found = current_app.jinja_env.get_template(template)
    return Markup(found.render(current_language=current_language(), **values))  # noqa: S704


question_types: Registered[QuestionType] = Registered("question_types", QuestionType)  # type: ignore[type-abstract]


def check_keys(document: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    """Raise PackageError when the document has a key that is not known."""
    unknown = sorted(set(map(str, document)) - set(allowed))
    if unknown:
        raise PackageError(where, _("The key %(key)s is not known here.", key=unknown[0]))


def check_texts(value: object, where: str, *, required: bool = True) -> ByLanguage:
    """A text by language. Raises PackageError."""
    if value is None and not required:
        return {}
    if not isinstance(value, Mapping) or not all(
        isinstance(code, str) and isinstance(text, str) for code, text in value.items()
    ):
        raise PackageError(where, _("A text for each language is needed here."))
    texts = {code: text for code, text in value.items() if text.strip()}
    if required and not texts:
        raise PackageError(where, _("The text is missing."))
    return texts


def check_flag(value: object, where: str) -> bool:
    """True or false. Raises PackageError."""
    if not isinstance(value, bool):
        raise PackageError(where, _("This is either true or false."))
    return value


def check_number(value: object, where: str, *, least: float = -1e15, most: float = 1e15) -> float:
    """A finite number, kept as whole or decimal as it was given. Raises PackageError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise PackageError(where, _("A number is needed here."))
    if not least <= value <= most:
        raise PackageError(
            where,
            _("The number must lie between %(least)s and %(most)s.", least=least, most=most),
        )
    return value
