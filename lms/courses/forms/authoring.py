"""What authors type: descriptions, facts, modules, activities, people, media, packages."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    EmailField,
    FieldList,
    FloatField,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import Field
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)
from wtforms.widgets import CheckboxInput, NumberInput

from lms.config import LANGUAGES
from lms.core.choices import choices
from lms.core.text import in_language
from lms.courses.activity_types.base import ActivityType
from lms.courses.models import Activity, Course, Level, Module, Topic
from lms.courses.services.authoring import Description, with_text
from lms.courses.services.learners import Recipients
from lms.directory.models import Organisation

MAX_TEXT = 200_000


def needed(message: Any) -> DataRequired:
    """Something must be typed; says what."""
    return DataRequired(message)


def edition(*values: Any) -> str:
    """A short mark of what a form began with, to see whether somebody changed it meanwhile."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def tidy(text: str | None) -> str | None:
    """One line without outer or double spaces."""
    return " ".join(text.split()) if text else text


class EditedForm(FlaskForm):  # type: ignore[misc]
    """A form that notices when somebody else changed the same thing in between."""

    edition = HiddenField()

    def was_changed(self, present: str) -> bool:
        """Whether what the form began with is no longer the present state.

        The form then goes on from the present state, so that sending it again replaces that.
        """
        changed = bool(self.edition.data) and self.edition.data != present
        self.edition.data = present
        return changed


class KeyedForm(FlaskForm):  # type: ignore[misc]
    """A form that makes one thing, however often it is sent."""

    key = HiddenField()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.key.data:
            self.key.data = str(uuid.uuid4())

    def validate_key(self, field: HiddenField) -> None:
        """A UUID that the page made."""
        try:
            uuid.UUID(field.data or "")
        except ValueError:
            raise ValidationError(_("Reload the page and try again.")) from None

    @property
    def uuid(self) -> uuid.UUID:
        """The key of the thing to be made."""
        return uuid.UUID(self.key.data or "")


def _others(field: HiddenField) -> dict[str, str]:
    """The texts of a row in all languages, as the form got them."""
    try:
        texts = json.loads(field.data or "{}")
    except ValueError:
        return {}
    if not isinstance(texts, dict):
        return {}
    return {
        str(code)[:20]: str(text)[:MAX_TEXT]
        for code, text in list(texts.items())[:20]
        if isinstance(text, str)
    }


class OutcomeRow(Form):
    """One learning outcome, in the language of the page."""

    rest = HiddenField()
    text = StringField(lazy_gettext("Learning outcome"), [Length(max=500)], filters=[tidy])

    def texts(self, language: str) -> dict[str, str]:
        """The outcome in all languages."""
        return with_text(_others(self.rest), language, self.text.data)


class FaqRow(Form):
    """One question and its answer, in the language of the page."""

    question_rest = HiddenField()
    answer_rest = HiddenField()
    question = StringField(lazy_gettext("Question"), [Length(max=500)], filters=[tidy])
    answer = TextAreaField(lazy_gettext("Answer"), [Length(max=5000)])

    def texts(self, language: str) -> dict[str, dict[str, str]]:
        """The entry in all languages."""
        return {
            "question": with_text(_others(self.question_rest), language, self.question.data),
            "answer": with_text(_others(self.answer_rest), language, self.answer.data),
        }


class DescriptionForm(EditedForm):
    """What a course says of itself, in one language."""

    title = StringField(lazy_gettext("Title"), [Length(max=200)], filters=[tidy])
    summary = TextAreaField(
        lazy_gettext("Summary"),
        [Length(max=1000)],
        description=lazy_gettext("One or two sentences, for the catalogue."),
    )
    description = TextAreaField(lazy_gettext("About this course"), [Length(max=MAX_TEXT)])
    outcomes = FieldList(FormField(OutcomeRow), lazy_gettext("Learning outcomes"), max_entries=50)
    audience = TextAreaField(lazy_gettext("Who it is for"), [Length(max=5000)])
    requirements = TextAreaField(lazy_gettext("What one needs"), [Length(max=5000)])
    faq = FieldList(FormField(FaqRow), lazy_gettext("Frequently asked"), max_entries=100)

    def row_values(self) -> dict[str, list[dict[str, Any]]]:
        """What stands in the rows now, to add or take away one."""
        return {"outcomes": list(self.outcomes.data), "faq": list(self.faq.data)}

    def answer(self, language: str) -> Description:
        """What was typed, with the other languages of each row."""
        return Description(
            title=self.title.data or "",
            summary=self.summary.data or "",
            description=self.description.data or "",
            audience=self.audience.data or "",
            requirements=self.requirements.data or "",
            outcomes=[row.form.texts(language) for row in self.outcomes],
            faq=[row.form.texts(language) for row in self.faq],
        )


def description_values(course: Course, language: str) -> dict[str, Any]:
    """What a DescriptionForm begins with."""
    return {
        "title": course.title.get(language, ""),
        "summary": course.summary.get(language, ""),
        "description": course.description.get(language, ""),
        "audience": course.audience.get(language, ""),
        "requirements": course.requirements.get(language, ""),
        "outcomes": [
            {"rest": json.dumps(texts), "text": texts.get(language, "")}
            for texts in course.outcomes
        ],
        "faq": [
            {
                "question_rest": json.dumps(entry["question"]),
                "answer_rest": json.dumps(entry["answer"]),
                "question": entry["question"].get(language, ""),
                "answer": entry["answer"].get(language, ""),
            }
            for entry in course.faq
        ],
    }


def description_edition(course: Course, language: str) -> str:
    """The mark of a description in one language."""
    fields = (
        course.title,
        course.summary,
        course.description,
        course.audience,
        course.requirements,
    )
    return edition([texts.get(language) for texts in fields], course.outcomes, course.faq)


def organisation_choices(organisations: list[Organisation]) -> list[Any]:
    """Organisations by id."""
    return choices((str(row.id), in_language(row.name)) for row in organisations)


def topic_choices(topics: list[Topic]) -> list[Any]:
    """Topics by id, and none."""
    return choices(
        [("", _("Not decided yet")), *((str(row.id), in_language(row.name)) for row in topics)]
    )


class NewCourseForm(KeyedForm):
    """The few things a course begins with."""

    title = StringField(
        lazy_gettext("Title"),
        [needed(lazy_gettext("Give the course a title.")), Length(max=200)],
        filters=[tidy],
    )
    language = SelectField(
        lazy_gettext("Language you write in first"), choices=choices(LANGUAGES.items())
    )
    owner = SelectField(lazy_gettext("Organisation that owns it"))
    topic = SelectField(lazy_gettext("Topic"), [Optional()])
    weeks = IntegerField(
        lazy_gettext("Length in weeks"), [InputRequired(), NumberRange(1, 52)], default=3
    )
    hours = FloatField(
        lazy_gettext("Hours of work for a learner"),
        [InputRequired(), NumberRange(0.5, 1000)],
        default=12,
        widget=NumberInput(step=0.5, min=0.5),
    )


class SignatoryRow(Form):
    """Somebody who signs the certificates; `role_<language>` fields are added for a course."""

    name = StringField(lazy_gettext("Name"), [Length(max=200)], filters=[tidy])
    organisation = SelectField(lazy_gettext("Organisation"), [Optional()])


class FactsForm(EditedForm):
    """What is the same in all languages of a course; made for one course by `facts_form`."""

    topic = SelectField(lazy_gettext("Topic"), [Optional()])
    level = RadioField(
        lazy_gettext("Level"),
        choices=choices(
            [
                (str(Level.INTRODUCTORY), lazy_gettext("Introductory")),
                (str(Level.INTERMEDIATE), lazy_gettext("Intermediate")),
                (str(Level.ADVANCED), lazy_gettext("Advanced")),
            ]
        ),
    )
    weeks = IntegerField(lazy_gettext("Length in weeks"), [InputRequired(), NumberRange(1, 52)])
    hours = FloatField(
        lazy_gettext("Hours of work for a learner"),
        [InputRequired(), NumberRange(0.1, 1000)],
        widget=NumberInput(step="any", min=0),
    )
    first_language = SelectField(lazy_gettext("Language it was written in first"))
    languages = SelectMultipleField(
        lazy_gettext("Languages of the course"), option_widget=CheckboxInput()
    )
    owner = SelectField(lazy_gettext("Organisation that owns it"))
    partners = SelectMultipleField(
        lazy_gettext("Partner organisations"),
        [Optional()],
        option_widget=CheckboxInput(),
        description=lazy_gettext(
            "Their managers see the learners of the course. An organisation is added by its own"
            " managers or by an administrator."
        ),
    )
    minimum_grade = FloatField(
        lazy_gettext("Grade needed to complete, in percent"),
        [Optional(), NumberRange(0, 100)],
        description=lazy_gettext("The mean of all required quizzes. Leave it empty for none."),
        widget=NumberInput(step="any", min=0, max=100),
    )
    certificate_months = IntegerField(
        lazy_gettext("Validity of certificates, in months"),
        [Optional(), NumberRange(1, 600)],
        description=lazy_gettext(
            "Counted from the day of issue. Leave it empty for certificates that do not expire."
        ),
    )
    license = StringField(
        lazy_gettext("Licence of the contents"),
        [Optional(), Length(max=100)],
        description=lazy_gettext("Such as CC-BY-4.0."),
        filters=[tidy],
    )


def facts_form(
    course: Course,
    topics: list[Topic],
    owners: list[Organisation],
    possible: list[Organisation],
) -> tuple[type[FactsForm], dict[str, list[Any]]]:
    """The form class for one course, with a role field per language, and its choices."""
    row: dict[str, Any] = {
        f"role_{code.replace('-', '_')}": StringField(
            lazy_gettext("Role (%(language)s)", language=LANGUAGES.get(code, code)),
            [Length(max=200)],
            filters=[tidy],
        )
        for code in course.languages
    }
    row_class = type("CourseSignatoryRow", (SignatoryRow,), row)
    signatories: Any = FieldList(FormField(row_class), lazy_gettext("Who signs the certificates"))
    made = type("CourseFactsForm", (FactsForm,), {"signatories": signatories})
    codes = list(dict.fromkeys([*LANGUAGES, *course.languages]))
    languages = choices((code, LANGUAGES.get(code, code)) for code in codes)
    near = [course.owner, *course.partners]
    return made, {
        "topic": topic_choices(topics),
        "owner": organisation_choices(owners),
        "partners": organisation_choices([row for row in possible if row is not course.owner]),
        "languages": languages,
        "first_language": languages,
        "signatory": choices(
            [("", _("None")), *((row.slug, in_language(row.name)) for row in near)]
        ),
    }


def _plain(number: float) -> float:
    """A whole number without decimals, as people type it."""
    return int(number) if number == int(number) else number


def facts_values(course: Course) -> dict[str, Any]:
    """What a FactsForm begins with."""
    return {
        "topic": str(course.topic_id or ""),
        "level": str(course.level),
        "weeks": course.weeks,
        "hours": _plain(course.hours),
        "first_language": course.languages[0],
        "languages": list(course.languages),
        "owner": str(course.owner_id),
        "partners": [str(row.id) for row in course.partners],
        "minimum_grade": None
        if course.minimum_grade is None
        else _plain(round(course.minimum_grade * 100, 2)),
        "certificate_months": course.certificate_months,
        "license": course.license,
        "signatories": [
            {
                "name": person.get("name", ""),
                "organisation": person.get("organisation", ""),
                **{
                    f"role_{code.replace('-', '_')}": text
                    for code, text in (person.get("role") or {}).items()
                },
            }
            for person in course.signatories
        ],
    }


def signatories_of(form: Any, course: Course) -> list[dict[str, Any]]:
    """The signatories that were typed; rows without a name are left out."""
    found = []
    for place, row in enumerate(form.signatories.data):
        if not row["name"]:
            continue
        kept = course.signatories[place] if place < len(course.signatories) else {}
        role = dict(kept.get("role") or {}) if kept.get("name") == row["name"] else {}
        for code in course.languages:
            role = with_text(role, code, row.get(f"role_{code.replace('-', '_')}"))
        person: dict[str, Any] = {"name": row["name"]}
        if role:
            person["role"] = role
        if row["organisation"]:
            person["organisation"] = row["organisation"]
        found.append(person)
    return found


class ModuleForm(EditedForm):
    """A module in one language."""

    title = StringField(
        lazy_gettext("Title"),
        [needed(lazy_gettext("Give the module a title.")), Length(max=200)],
        filters=[tidy],
    )
    summary = TextAreaField(lazy_gettext("Summary"), [Length(max=2000)])
    release_day = IntegerField(
        lazy_gettext("Opens on day"),
        [Optional(), NumberRange(1, 400)],
        description=lazy_gettext(
            "Day of the run, 1 is the first. Leave it empty to open it with its week."
        ),
    )


def module_edition(module: Module, language: str) -> str:
    """The mark of a module in one language."""
    return edition(module.title.get(language), module.summary.get(language), module.release_day)


class RemoveModuleForm(FlaskForm):  # type: ignore[misc]
    """Where the activities of a removed module go."""

    to = SelectField(lazy_gettext("Its activities move to"), [Optional()])


class NewActivityForm(KeyedForm):
    """The few things an activity begins with."""

    kind = RadioField(lazy_gettext("Kind"))
    title = StringField(
        lazy_gettext("Title"),
        [needed(lazy_gettext("Give the activity a title.")), Length(max=200)],
        filters=[tidy],
    )


class ActivityForm(EditedForm):
    """An activity in one language, and what is the same in all."""

    title = StringField(lazy_gettext("Title"), [Length(max=200)], filters=[tidy])
    text = TextAreaField(lazy_gettext("Text"), [Length(max=MAX_TEXT)])
    module = SelectField(lazy_gettext("Module"))
    is_required = BooleanField(lazy_gettext("Required to complete the course"))
    completion = RadioField(lazy_gettext("When it counts as done"))
    minutes = IntegerField(lazy_gettext("Minutes it takes"), [Optional(), NumberRange(1, 10000)])
    due_day = IntegerField(
        lazy_gettext("Due on day"),
        [Optional(), NumberRange(1, 400)],
        description=lazy_gettext("Due at the end of this day of the run; 7 is the first week."),
    )

    def choose(self, kind: ActivityType, modules: list[Module]) -> None:
        """Fill the choices for one activity."""
        self.completion.choices = choices(kind.completion_rules.items())
        self.module.choices = choices((str(m.id), in_language(m.title)) for m in modules)


def activity_values(activity: Activity, language: str) -> dict[str, Any]:
    """What an ActivityForm begins with."""
    return {
        "title": activity.title.get(language, ""),
        "text": activity.text.get(language, ""),
        "module": str(activity.module_id),
        "is_required": activity.is_required,
        "completion": activity.completion,
        "minutes": activity.minutes,
        "due_day": activity.due_day,
    }


def activity_edition(activity: Activity, language: str) -> str:
    """The mark of an activity in one language."""
    return edition(activity_values(activity, language), activity.settings)


class StaffForm(FlaskForm):  # type: ignore[misc]
    """A person who shall teach the course too."""

    email = EmailField(
        lazy_gettext("E-mail"),
        [needed(lazy_gettext("Write the e-mail address of the person.")), Length(max=254)],
        description=lazy_gettext("The address of their account here."),
        filters=[tidy],
    )
    organisation = SelectField(lazy_gettext("Teaches for"), [Optional()])


class BiographyForm(EditedForm):
    """Who an instructor is, in one language."""

    organisation = SelectField(lazy_gettext("Teaches for"), [Optional()])
    biography = TextAreaField(
        lazy_gettext("About this person"),
        [Length(max=5000)],
        description=lazy_gettext("A few sentences for the course page."),
    )


class MediaForm(FlaskForm):  # type: ignore[misc]
    """A picture or file of the course."""

    file = FileField(
        lazy_gettext("Picture or file"),
        [FileRequired(lazy_gettext("Choose a file."))],
        description=lazy_gettext(
            "Pictures, films, captions, PDF, text and office files up to 50 MB."
        ),
    )


class PackageForm(FlaskForm):  # type: ignore[misc]
    """A course package as a .zip."""

    package = FileField(
        lazy_gettext("Package (.zip)"), [FileRequired(lazy_gettext("Choose a file."))]
    )
    owner = SelectField(lazy_gettext("Organisation that shall own it"), [Optional()])


class MessageForm(FlaskForm):  # type: ignore[misc]
    """A message to a group of learners."""

    key = HiddenField()
    group = RadioField(
        lazy_pgettext("recipients", "To"),
        choices=choices(
            [
                (str(Recipients.ALL), lazy_gettext("All who study in this run")),
                (str(Recipients.NOT_STARTED), lazy_gettext("Those who have not started")),
                (str(Recipients.BEHIND), lazy_gettext("Those with something overdue")),
            ]
        ),
        default=str(Recipients.ALL),
    )
    title = StringField(
        lazy_gettext("Subject"),
        [needed(lazy_gettext("Give the message a subject.")), Length(max=200)],
        filters=[tidy],
    )
    body = TextAreaField(
        lazy_gettext("Message"),
        [needed(lazy_gettext("Write the message.")), Length(max=20000)],
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.key.data:
            self.key.data = str(uuid.uuid4())


class AddLearnerForm(FlaskForm):  # type: ignore[misc]
    """A person who shall study without paying."""

    email = EmailField(
        lazy_gettext("E-mail"),
        [needed(lazy_gettext("Write the e-mail address of the person.")), Length(max=254)],
        description=lazy_gettext("The address of their account here. They will not pay."),
        filters=[tidy],
    )


def settings_values(form: Form | None) -> dict[str, Any]:
    """What was typed into the settings of an activity's kind; empty fields are left out."""
    if form is None:
        return {}
    data: Mapping[str, Any] = form.data
    return {key: value for key, value in data.items() if value not in (None, "", [], {})}


def add_error(field: Field, message: str) -> None:
    """Put a message of the server below a field."""
    field.errors = [*field.errors, message]
