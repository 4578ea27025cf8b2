"""The shape of what officers and learners type."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    FloatField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import (
    URL,
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)
from wtforms.widgets import CheckboxInput

from lms.core import clock
from lms.core.choices import choices
from lms.core.text import in_language
from lms.core.validators import SensibleDate
from lms.courses.models import Course, Topic
from lms.directory.models import Organisation
from lms.recognition.models import (
    Accreditation,
    AuditState,
    BodySettings,
    FrameworkCode,
    RecognitionRule,
    RuleVersion,
)

AUDIT_LABELS = {
    AuditState.OPEN: lazy_pgettext("audit", "Open"),
    AuditState.ASKED: lazy_gettext("Evidence asked for"),
    AuditState.ACCEPTED: lazy_gettext("Accepted"),
    AuditState.REFUSED: lazy_gettext("Refused"),
}


def tidy(text: str | None) -> str:
    """Single spaces, none around."""
    return " ".join(text.split()) if text else ""


def first_day(label: Any) -> DateField:
    """A day that has to be chosen."""
    return DateField(label, [InputRequired(lazy_gettext("Choose a day.")), SensibleDate()])


def _hours_range() -> NumberRange:
    return NumberRange(0.25, 1000, lazy_gettext("Between 0.25 and 1,000 hours."))


def course_choices(courses: list[Course], nothing: str) -> list[Any]:
    """Courses by title, after the choice of none."""
    return choices([("", nothing), *((str(one.id), in_language(one.title)) for one in courses)])


def organisation_choices(organisations: list[Organisation], nothing: str) -> list[Any]:
    """Organisations by name, after the choice of none."""
    return choices(
        [("", nothing), *((str(one.id), in_language(one.name)) for one in organisations)]
    )


class AccreditationForm(FlaskForm):  # type: ignore[misc]
    """A provider or a course that meets the association's standard, for a time."""

    provider = SelectField(
        lazy_gettext("Provider"), default="", description=lazy_gettext("All courses that it gives.")
    )
    course = SelectField(
        lazy_gettext("Or one course"),
        default="",
        description=lazy_gettext("Choose either of the two."),
    )
    number = StringField(
        lazy_gettext("Accreditation number"),
        [
            DataRequired(lazy_gettext("Write the number that stands on certificates.")),
            Length(max=60),
        ],
        filters=[tidy],
    )
    scope = StringField(
        lazy_gettext("Scope"),
        [Length(max=300)],
        filters=[tidy],
        description=lazy_gettext("What it covers, in your own words. Everybody can read it."),
    )
    starts_on = first_day(lazy_gettext("First day"))
    ends_on = DateField(lazy_gettext("Last day"), [Optional(), SensibleDate()])

    def __init__(self, providers: list[Organisation], courses: list[Course], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.provider.choices = organisation_choices(providers, _("No provider"))
        self.course.choices = course_choices(courses, _("No course"))

    def validate_course(self, field: SelectField) -> None:
        """Exactly one of the two."""
        if bool(field.data) == bool(self.provider.data):
            raise ValidationError(_("Choose a provider or a course, not both."))

    def validate_ends_on(self, field: DateField) -> None:
        """The end comes after the beginning."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day comes before the first."))


class WithdrawalForm(FlaskForm):  # type: ignore[misc]
    """From when an accreditation does not hold, and why."""

    first_day = first_day(lazy_gettext("Does not hold from"))
    reason = StringField(lazy_gettext("Reason"), [Length(max=300)], filters=[tidy])

    def __init__(self, accreditation: Accreditation, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.accreditation = accreditation
        if self.first_day.data is None and not self.is_submitted():
            self.first_day.data = clock.now().date()


class RuleForm(FlaskForm):  # type: ignore[misc]
    """What an association credits, from a day on."""

    name = StringField(
        lazy_gettext("Name of the rule"),
        [DataRequired(lazy_gettext("Give the rule a name.")), Length(max=120)],
        filters=[tidy],
    )
    starts_on = DateField(
        lazy_gettext("For awards from"),
        [InputRequired(lazy_gettext("Choose a day.")), SensibleDate()],
        description=lazy_gettext(
            "Certificates are judged by the rule that holds on the day they are earned."
        ),
    )
    hours = FloatField(
        lazy_gettext("Hours credited"),
        [Optional(), _hours_range()],
        description=lazy_gettext("Empty: as many as the certificate states."),
    )
    most_hours = FloatField(
        lazy_gettext("At most in one renewal cycle"), [Optional(), _hours_range()]
    )
    category = StringField(
        lazy_gettext("Category"),
        [Length(max=60)],
        filters=[tidy],
        description=lazy_gettext("As your members know it, such as “Ethics”."),
    )
    framework_codes = SelectMultipleField(
        lazy_gettext("Framework codes"), option_widget=CheckboxInput()
    )
    provider = SelectField(lazy_gettext("Only courses of"), default="")
    course = SelectField(lazy_gettext("Only the course"), default="")
    topic = SelectField(lazy_gettext("Only the topic"), default="")
    minimum_hours = FloatField(
        lazy_gettext("Only courses of at least so many hours"), [Optional(), _hours_range()]
    )
    minimum_grade = FloatField(
        lazy_gettext("Only grades of at least so many per cent"),
        [Optional(), NumberRange(0, 100, lazy_gettext("Between 0 and 100."))],
    )
    needs_assessment = BooleanField(lazy_gettext("Only courses that are assessed"))
    needs_accreditation = BooleanField(
        lazy_gettext("Only where an accreditation of ours held on the day of the award")
    )
    note = StringField(lazy_gettext("Why, for your colleagues"), [Length(max=300)], filters=[tidy])

    def __init__(
        self,
        rule: RecognitionRule | None,
        *,
        providers: list[Organisation],
        courses: list[Course],
        topics: list[Topic],
        codes: list[FrameworkCode],
        **kwargs: Any,
    ) -> None:
        values: dict[str, Any] = {"starts_on": clock.now().date()}
        if rule is not None:
            values |= _values_of(rule.newest) | {"name": rule.name}
        super().__init__(**values, **kwargs)
        self.provider.choices = organisation_choices(providers, _("Any provider"))
        self.course.choices = course_choices(courses, _("Any course"))
        self.topic.choices = choices(
            [("", _("Any topic")), *((str(one.id), in_language(one.name)) for one in topics)]
        )
        self.framework_codes.choices = choices(
            (one.code, f"{one.code} · {one.title}") for one in codes
        )

    def terms(self) -> dict[str, Any]:
        """The columns of a version."""
        return {
            "starts_on": self.starts_on.data,
            "hours": self.hours.data,
            "most_hours": self.most_hours.data,
            "category": self.category.data or "",
            "framework_codes": self.framework_codes.data or [],
            "provider_id": _id(self.provider.data),
            "course_id": _id(self.course.data),
            "topic_id": _id(self.topic.data),
            "minimum_hours": self.minimum_hours.data,
            "minimum_grade": (
                None if self.minimum_grade.data is None else self.minimum_grade.data / 100
            ),
            "needs_assessment": self.needs_assessment.data,
            "needs_accreditation": self.needs_accreditation.data,
            "note": self.note.data or "",
        }


def _id(text: str | None) -> int | None:
    return int(text) if text else None


def _values_of(version: RuleVersion) -> dict[str, Any]:
    today = clock.now().date()
    return {
        "starts_on": max(today, version.starts_on),
        "hours": version.hours,
        "most_hours": version.most_hours,
        "category": version.category,
        "framework_codes": version.framework_codes,
        "provider": str(version.provider_id or ""),
        "course": str(version.course_id or ""),
        "topic": str(version.topic_id or ""),
        "minimum_hours": version.minimum_hours,
        "minimum_grade": (
            None if version.minimum_grade is None else round(version.minimum_grade * 100, 1)
        ),
        "needs_assessment": version.needs_assessment,
        "needs_accreditation": version.needs_accreditation,
    }


class EndForm(FlaskForm):  # type: ignore[misc]
    """The last day on which something holds."""

    last_day = first_day(lazy_gettext("Last day"))

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"last_day": clock.now().date()} | kwargs))


class SettingsForm(FlaskForm):  # type: ignore[misc]
    """The renewal cycle."""

    cycle_starts_on = DateField(
        lazy_gettext("First day of a cycle"),
        [InputRequired(lazy_gettext("Choose a day.")), SensibleDate()],
        description=lazy_gettext("Of any cycle; the others follow from it."),
    )
    cycle_years = IntegerField(
        lazy_gettext("Years of a cycle"),
        [InputRequired(), NumberRange(1, 10, lazy_gettext("Between 1 and 10 years."))],
    )
    hours_needed = FloatField(
        lazy_gettext("Hours that a member needs in one cycle"), [Optional(), _hours_range()]
    )

    def __init__(self, settings: BodySettings, **kwargs: Any) -> None:
        super().__init__(obj=settings, **kwargs)


class FrameworkCodeForm(FlaskForm):  # type: ignore[misc]
    """A code of the framework."""

    code = StringField(
        lazy_gettext("Code"),
        [DataRequired(lazy_gettext("Write the code.")), Length(max=30)],
        filters=[tidy],
    )
    title = StringField(
        lazy_gettext("What it stands for"),
        [DataRequired(lazy_gettext("Say what the code stands for.")), Length(max=200)],
        filters=[tidy],
    )


class IssuerForm(FlaskForm):  # type: ignore[misc]
    """An issuer whose credentials the association takes."""

    name = StringField(
        lazy_gettext("Name"),
        [DataRequired(lazy_gettext("Write the name of the issuer.")), Length(max=200)],
        filters=[tidy],
    )
    did = StringField(
        lazy_gettext("Identifier"),
        [
            DataRequired(lazy_gettext("Write an identifier like did:web:example.org.")),
            Length(max=300),
        ],
        filters=[tidy],
        description=lazy_gettext("Such as did:web:example.org."),
    )
    starts_on = first_day(lazy_gettext("First day"))
    ends_on = DateField(lazy_gettext("Last day"), [Optional(), SensibleDate()])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"starts_on": clock.now().date()} | kwargs))


class MembersForm(FlaskForm):  # type: ignore[misc]
    """The association's list of members."""

    file = FileField(
        lazy_gettext("CSV or XLSX file"),
        validators=[FileRequired(lazy_gettext("Choose your list of members."))],
        description=lazy_gettext(
            "The first row names the columns: “number”, and “email” or “licence” beside it. Other"
            " columns are not read."
        ),
    )
    is_complete = BooleanField(
        lazy_gettext("This is the whole list: members who are not in it have left")
    )


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """An officer's decision on hours that somebody asks for."""

    decision = RadioField(
        lazy_gettext("Decision"),
        [InputRequired(lazy_gettext("Choose a decision."))],
        choices=choices([("grant", lazy_gettext("Credit")), ("refuse", lazy_gettext("Refuse"))]),
    )
    hours = FloatField(lazy_gettext("Hours credited"), [Optional(), _hours_range()])
    category = StringField(lazy_gettext("Category"), [Length(max=60)], filters=[tidy])
    reason = StringField(
        lazy_gettext("Reason"),
        [Length(max=300)],
        filters=[tidy],
        description=lazy_gettext("The member reads it. Needed when you refuse."),
    )

    def validate_reason(self, field: StringField) -> None:
        """Who is refused learns why."""
        if self.decision.data == "refuse" and not field.data:
            raise ValidationError(_("Say why, so that the member can do better next time."))

    def validate_hours(self, field: FloatField) -> None:
        """Who credits says how much."""
        if self.decision.data == "grant" and field.data is None:
            raise ValidationError(_("Say how many hours you credit."))


class AuditForm(FlaskForm):  # type: ignore[misc]
    """How large a sample of which year."""

    year = IntegerField(lazy_gettext("Year"), [InputRequired(), NumberRange(2000, 2100)])
    size = IntegerField(lazy_gettext("How many entries"), [InputRequired(), NumberRange(1, 500)])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"year": clock.now().year, "size": 10} | kwargs))


class AuditItemForm(FlaskForm):  # type: ignore[misc]
    """How far the audit of one entry is."""

    state = SelectField(
        lazy_gettext("State"), choices=choices((s.value, t) for s, t in AUDIT_LABELS.items())
    )
    note = StringField(lazy_gettext("Note"), [Length(max=300)], filters=[tidy])


class ConsentForm(FlaskForm):  # type: ignore[misc]
    """Letting an association see one's certificates and hours."""

    licence = StringField(
        lazy_gettext("Licence number"),
        [Optional(), Length(max=60)],
        filters=[tidy],
        description=lazy_gettext("If the association knows it. It is kept as a keyed hash only."),
    )


class ClaimForm(FlaskForm):  # type: ignore[misc]
    """Learning from elsewhere, with evidence."""

    association = SelectField(lazy_gettext("Association"))
    title = StringField(
        lazy_gettext("What you learned"),
        [DataRequired(lazy_gettext("Say what you learned.")), Length(max=200)],
        filters=[tidy],
    )
    provider = StringField(
        lazy_gettext("Who gave it"),
        [DataRequired(lazy_gettext("Say who gave it.")), Length(max=200)],
        filters=[tidy],
    )
    awarded_on = first_day(lazy_gettext("Completed on"))
    hours = FloatField(
        lazy_gettext("Hours"),
        [InputRequired(lazy_gettext("Say how many hours it took.")), _hours_range()],
    )
    link = StringField(
        lazy_gettext("Link to the evidence"),
        [Optional(), Length(max=300), URL(message=lazy_gettext("Write a web address."))],
        filters=[tidy],
    )
    file = FileField(
        lazy_gettext("File with the evidence"),
        description=lazy_gettext("PDF, picture or office file, at most 10 MB."),
    )

    def __init__(self, associations: list[Organisation], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.association.choices = choices(
            (one.slug, in_language(one.name)) for one in associations
        )

    def validate_awarded_on(self, field: DateField) -> None:
        """What is not done yet cannot be credited."""
        if field.data and field.data > clock.now().date() + timedelta(days=1):
            raise ValidationError(_("This day has not come yet."))

    def validate_file(self, field: FileField) -> None:
        """Something has to show it."""
        if not self.link.data and not (field.data and field.data.filename):
            raise ValidationError(_("Add a link or a file that shows it."))

    def validate_link(self, field: StringField) -> None:
        """Links lead to pages, nowhere else."""
        if field.data and not field.data.startswith(("https://", "http://")):
            raise ValidationError(_("Write a web address."))


class EvidenceForm(FlaskForm):  # type: ignore[misc]
    """To whom the evidence behind a certificate is shown, and for how long."""

    recipient = StringField(
        lazy_gettext("For whom"),
        [DataRequired(lazy_gettext("Say who shall see it.")), Length(max=120)],
        filters=[tidy],
        description=lazy_gettext("Only you read this: it tells your links apart."),
    )
    days = RadioField(
        lazy_gettext("Open for"),
        choices=choices(
            [
                ("7", lazy_gettext("7 days")),
                ("30", lazy_gettext("30 days")),
                ("90", lazy_gettext("90 days")),
            ]
        ),
        default="30",
    )
    understood = BooleanField(
        lazy_gettext(
            "I agree that whoever has the link sees my name, all activities of the course and my"
            " scores."
        ),
        [InputRequired(lazy_gettext("Tick this box to open the link."))],
    )
