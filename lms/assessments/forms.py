"""The shape of what authors type: settings of a quiz, a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, Form, FormField, IntegerField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import InputRequired, NumberRange, Optional

from lms.assessments.models import FeedbackPolicy, Grading, Question
from lms.assessments.question_types.base import QuestionType
from lms.assessments.question_types.fields import NumberText, TextsField
from lms.assessments.services.questions import MAX_POINTS, QuestionContent, check_content
from lms.courses.errors import PackageError

GRADING_LABELS = {
    Grading.BEST: lazy_gettext("The best attempt"),
    Grading.LAST: lazy_gettext("The last attempt"),
    Grading.FIRST: lazy_gettext("The first attempt"),
}
FEEDBACK_LABELS = {
    FeedbackPolicy.AFTER_ATTEMPT: lazy_gettext("After each attempt"),
    FeedbackPolicy.AFTER_PASS_OR_LAST: lazy_gettext("After passing, or after the last attempt"),
    FeedbackPolicy.AFTER_DUE: lazy_gettext("After the due date"),
    FeedbackPolicy.NEVER: lazy_gettext("Never"),
}


class PercentField(NumberText):
    """A share 0..1, shown and typed as per cent."""

    def _value(self) -> str:
        if not self.raw_data and self.data is not None:
            share, self.data = self.data, round(self.data * 100, 6)
            text = super()._value()
            self.data = share
            return text
        return super()._value()

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Per cent to share; the sign may be typed along."""
        super().process_formdata([str(value).rstrip(" %") for value in valuelist])
        if self.data is not None:
            self.data = round(self.data / 100, 8)


class QuizSettingsForm(Form):
    """Settings of a quiz; the names are the keys of `Activity.settings`."""

    attempts = IntegerField(
        lazy_gettext("Attempts"),
        [Optional(), NumberRange(0, 1000)],
        default=0,
        description=lazy_gettext("0: as many as one likes."),
    )
    time_limit = IntegerField(
        lazy_gettext("Time limit in minutes"),
        [Optional(), NumberRange(1, 7 * 24 * 60)],
        description=lazy_gettext("Empty: no limit. The clock starts with the attempt."),
    )
    pass_score = PercentField(
        lazy_gettext("Pass mark in per cent"), [InputRequired(), NumberRange(0, 1)], default=0.6
    )
    grading = SelectField(
        lazy_gettext("Which attempt counts"),
        choices=[SelectChoice(str(key), text) for key, text in GRADING_LABELS.items()],
    )
    shuffle = BooleanField(lazy_gettext("Questions and choices in random order"))
    draw = IntegerField(
        lazy_gettext("Questions drawn for each attempt"),
        [Optional(), NumberRange(1, 1000)],
        description=lazy_gettext("Empty: all questions of the bank."),
    )
    feedback = SelectField(
        lazy_gettext("When right answers and feedback are shown"),
        choices=[SelectChoice(str(key), text) for key, text in FEEDBACK_LABELS.items()],
    )


class QuestionForm(FlaskForm):  # type: ignore[misc]
    """What every question has; `special` is the form of its kind. See `question_form`."""

    special: FormField[Any]

    def content(self, kind: QuestionType) -> QuestionContent | None:
        """What was typed, checked; None when it is wrong: the errors then say why."""
        document = {
            "kind": kind.name,
            "prompt": self.prompt.data,
            "points": self.points.data,
            "feedback": self.feedback.data,
            **kind.form_document(self.special.form),
        }
        try:
            return check_content(document, "question")
        except PackageError as error:
            self.form_errors = [sentence_of(error)]
            return None


def question_form(kind: QuestionType, languages: Sequence[str]) -> type[QuestionForm]:
    """Form class for questions of a kind, in the languages of their course."""
    return type(
        "QuestionForm",
        (QuestionForm,),
        {
            "prompt": TextsField(
                languages,
                lazy_gettext("Question"),
                rows=4,
                description=lazy_gettext("Markdown works, pictures of the course too."),
            ),
            "special": FormField(kind.form(languages), label=kind.label),
            "feedback": TextsField(
                languages,
                lazy_gettext("Feedback"),
                rows=3,
                description=lazy_gettext("Shown with the result, whatever was answered."),
            ),
            "points": NumberText(
                lazy_gettext("Points"),
                [InputRequired(), NumberRange(0.01, MAX_POINTS)],
                default=1,
                render_kw={"inputmode": "decimal"},
            ),
        },
    )


def question_data(question: Question, kind: QuestionType) -> Mapping[str, Any]:
    """What the form shows for a question."""
    return {
        "prompt": question.prompt,
        "special": kind.form_data(question.settings),
        "feedback": question.feedback,
        "points": question.points,
    }


def sentence_of(error: PackageError) -> str:
    """What is wrong, without the place in a file."""
    text = str(error.text).removeprefix(f"{error.where}: ")
    if error.where.endswith("prompt"):
        return str(_("Write the question in at least one language."))
    return text
