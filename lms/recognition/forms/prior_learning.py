"""The shape of offers, portfolios and decisions of prior learning.

Forms with a field for each outcome are made for the course or request that they are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    FloatField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    URL,
    DataRequired,
    Email,
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
from lms.courses.models import Course
from lms.directory.models import Organisation
from lms.recognition.forms.desk import first_day, tidy
from lms.recognition.models import (
    EvidenceItem,
    EvidenceKind,
    OutcomeDecision,
    PriorLearningOffer,
    PriorLearningRequest,
    RequestedOutcome,
)
from lms.recognition.services.prior_learning.assessing import Decision
from lms.recognition.services.prior_learning.offers import OutcomeTerms
from lms.recognition.services.prior_learning.portfolio import terms_of

LONGEST = 4_000
DECISION_LABELS = {
    OutcomeDecision.GRANTED: lazy_gettext("Granted"),
    OutcomeDecision.NOT_GRANTED: lazy_gettext("Not granted"),
    OutcomeDecision.MORE_ASKED: lazy_gettext("More evidence asked for"),
}


def _days(label: Any, most: int, **kwargs: Any) -> IntegerField:
    text = lazy_gettext("Between 1 and %(most)s.", most=most)
    return IntegerField(label, [InputRequired(text), NumberRange(1, most, text)], **kwargs)


class OfferForm(FlaskForm):  # type: ignore[misc]
    """How a course recognises prior learning."""

    is_open = BooleanField(lazy_gettext("Take requests"), default=True)
    guidance = TextAreaField(
        lazy_gettext("What you tell learners"),
        [Length(max=LONGEST)],
        description=lazy_gettext("Which evidence convinces you. Markdown works."),
    )
    decide_days = _days(lazy_gettext("Days until a decision"), 180, default=30)
    appeal_days = _days(lazy_gettext("Days for an appeal"), 90, default=30)
    keep_months = _days(
        lazy_gettext("Months that evidence is kept"),
        120,
        default=24,
        description=lazy_gettext(
            "After the end of a request. Then files and contacts are deleted; decisions and hashes"
            " stay."
        ),
    )
    course: Course

    def terms(self) -> list[OutcomeTerms]:
        """What is waived for each outcome of the course."""
        return [
            OutcomeTerms(self[f"hours_{place}"].data or 0.0, self[f"activities_{place}"].data or [])
            for place in range(1, len(self.course.outcomes) + 1)
        ]

    @property
    def places(self) -> list[tuple[dict[str, str], Any, Any]]:
        """Each outcome with its two fields."""
        return [
            (text, self[f"hours_{place}"], self[f"activities_{place}"])
            for place, text in enumerate(self.course.outcomes, 1)
        ]


def offer_form(course: Course, offer: PriorLearningOffer | None, language: str) -> OfferForm:
    """The form for one course, with what is offered now."""
    activities = [
        (str(activity.uuid), in_language(activity.title))
        for module in course.modules
        for activity in module.activities
        if activity.is_published
    ]
    kept = terms_of(offer, course)
    fields: dict[str, Any] = {"course": course}
    for place, _text in enumerate(course.outcomes, 1):
        known = kept.get(place)
        fields[f"hours_{place}"] = FloatField(
            lazy_gettext("Hours waived"),
            [Optional(), NumberRange(0, 1000, lazy_gettext("Between 0 and 1,000 hours."))],
            default=known.hours if known else None,
        )
        fields[f"activities_{place}"] = SelectMultipleField(
            lazy_gettext("Activities waived"),
            choices=choices(activities),
            option_widget=CheckboxInput(),
            default=known.activities if known else [],
        )
    values: dict[str, Any] = {}
    if offer is not None:
        values = {
            name: getattr(offer, name)
            for name in ("is_open", "decide_days", "appeal_days", "keep_months")
        } | {"guidance": offer.guidance.get(language, "")}
    made: OfferForm = type("OfferFormOfCourse", (OfferForm,), fields)(**values)
    return made


class EvidenceFormBase(FlaskForm):  # type: ignore[misc]
    """A piece of evidence, and what it shows."""

    title = StringField(
        lazy_gettext("What it is"),
        [DataRequired(lazy_gettext("Give it a short name.")), Length(max=200)],
        filters=[tidy],
    )
    outcomes: list[RequestedOutcome]

    @property
    def claim_fields(self) -> list[tuple[RequestedOutcome, Any]]:
        """Each outcome with the field for the learner's words."""
        return [(one, self[f"claim_{one.id}"]) for one in self.outcomes]

    def claims(self) -> dict[int, str]:
        """What the learner says of each outcome, by its id."""
        return {one.id: (field.data or "").strip() for one, field in self.claim_fields}

    def values(self) -> dict[str, Any]:
        """The columns that this kind fills."""
        return {}

    def validate(self, **kwargs: Any) -> bool:
        """At least one outcome is named, in words."""
        is_valid = bool(super().validate(**kwargs))
        if not any(self.claims().values()) and self.claim_fields:
            field = self.claim_fields[0][1]
            field.errors = [*field.errors, _("Say of at least one outcome how this shows it.")]
            return False
        return is_valid


class FileEvidenceForm(EvidenceFormBase):
    """A file."""

    file = FileField(
        lazy_gettext("File"),
        validators=[FileRequired(lazy_gettext("Choose a file."))],
        description=lazy_gettext("PDF, picture, text or office document, up to 10 MB."),
    )


class LinkEvidenceForm(EvidenceFormBase):
    """A link, and when it was seen."""

    link = StringField(
        lazy_gettext("Link"),
        [
            DataRequired(lazy_gettext("Write the whole address.")),
            URL(message=lazy_gettext("Write a whole address like https://example.org/work.")),
            Length(max=500),
        ],
        filters=[lambda text: text.strip() if text else text],
    )
    seen_on = first_day(lazy_gettext("Last seen on"))

    def values(self) -> dict[str, Any]:
        """Address and day."""
        return {"link": self.link.data, "seen_on": self.seen_on.data}

    def validate_link(self, field: StringField) -> None:
        """Only what opens in a browser, and does not run."""
        if not (field.data or "").lower().startswith(("http://", "https://")):
            raise ValidationError(_("Write a whole address like https://example.org/work."))


class EmployerEvidenceForm(EvidenceFormBase):
    """What was done for an employer, and who can confirm it."""

    employer = StringField(
        lazy_gettext("Employer or client"),
        [DataRequired(lazy_gettext("Write the name.")), Length(max=200)],
        filters=[tidy],
    )
    role = StringField(
        lazy_gettext("What you were there"),
        [DataRequired(lazy_gettext("Write your role.")), Length(max=200)],
        filters=[tidy],
    )
    starts_on = first_day(lazy_gettext("From"))
    ends_on = DateField(lazy_gettext("To"), [Optional(), SensibleDate()])
    contact_name = StringField(
        lazy_gettext("Who can confirm it"),
        [DataRequired(lazy_gettext("Write a name.")), Length(max=200)],
        filters=[tidy],
    )
    contact_email = EmailField(
        lazy_gettext("Their e-mail address"),
        [
            DataRequired(lazy_gettext("Write an e-mail address.")),
            Email(lazy_gettext("Write an address like name@example.org.")),
            Length(max=254),
        ],
    )
    contact_agrees = BooleanField(
        lazy_gettext("This person agrees that the assessor writes to them"),
        [DataRequired(lazy_gettext("Ask this person first."))],
    )

    def values(self) -> dict[str, Any]:
        """Name, role, period, contact."""
        names = ("employer", "role", "starts_on", "ends_on", "contact_name", "contact_email")
        return {name: self[name].data for name in names}

    def validate_ends_on(self, field: DateField) -> None:
        """The end comes after the beginning."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day comes before the first."))


class CredentialEvidenceForm(EvidenceFormBase):
    """A certificate of somebody else, which is verified at once."""

    text = TextAreaField(
        lazy_gettext("The digital certificate, its link or its code"),
        [Length(max=400_000)],
        description=lazy_gettext(
            "Paste it, or choose its file below. Its signature, dates and revocation are verified"
            " at once, and again when it is decided."
        ),
    )
    file = FileField(
        lazy_gettext("Or its file"), description=lazy_gettext("PDF, PNG, SVG, JSON or JWT.")
    )

    def validate_text(self, field: TextAreaField) -> None:
        """One of the two."""
        is_given = bool(self.file.data and self.file.data.filename)
        if bool((field.data or "").strip()) == is_given:
            raise ValidationError(_("Paste the certificate or choose its file, one of the two."))


class CorrectionForm(EvidenceFormBase):
    """What is said of a file or credential, which itself stays."""


FORMS: Mapping[EvidenceKind, type[EvidenceFormBase]] = {
    EvidenceKind.FILE: FileEvidenceForm,
    EvidenceKind.LINK: LinkEvidenceForm,
    EvidenceKind.EMPLOYER: EmployerEvidenceForm,
    EvidenceKind.CREDENTIAL: CredentialEvidenceForm,
}


def evidence_form(
    kind: EvidenceKind, request: PriorLearningRequest, item: EvidenceItem | None = None
) -> EvidenceFormBase:
    """The form for a piece of this kind; item: the one that is corrected."""
    base = FORMS[kind]
    if item is not None and kind in (EvidenceKind.FILE, EvidenceKind.CREDENTIAL):
        base = CorrectionForm
    known = {claim.outcome_id: claim.words for claim in item.claims} if item else {}
    fields: dict[str, Any] = {"outcomes": request.outcomes}
    for outcome in request.outcomes:
        fields[f"claim_{outcome.id}"] = TextAreaField(
            in_language(outcome.text), [Length(max=LONGEST)], default=known.get(outcome.id, "")
        )
    values: dict[str, Any] = {"seen_on": clock.now().date()}
    if item is not None:
        names = ("title", "link", "seen_on", "employer", "role", "starts_on", "ends_on")
        values = {name: getattr(item, name) for name in (*names, "contact_name", "contact_email")}
        values["contact_agrees"] = True
    made: EvidenceFormBase = type("EvidenceForm", (base,), fields)(**values)
    return made


class AssessorForm(FlaskForm):  # type: ignore[misc]
    """Who is to decide."""

    email = EmailField(
        lazy_gettext("E-mail address of the assessor"),
        [DataRequired(lazy_gettext("Write the address of an account.")), Length(max=254)],
    )


class DeclarationForm(FlaskForm):  # type: ignore[misc]
    """Whether something binds the assessor to the learner."""

    is_independent = RadioField(
        lazy_gettext("Does something bind you to this person?"),
        [InputRequired(lazy_gettext("Choose one of the two."))],
        choices=choices(
            [
                (
                    "yes",
                    lazy_gettext(
                        "No: I am no relative, colleague, employer, teacher or business partner"
                    ),
                ),
                ("no", lazy_gettext("Yes: somebody else should decide")),
            ]
        ),
    )
    conflict = StringField(lazy_gettext("What it is"), [Length(max=300)], filters=[tidy])

    def validate_conflict(self, field: StringField) -> None:
        """Who steps back says why."""
        if self.is_independent.data == "no" and not field.data:
            raise ValidationError(_("Say in a few words what it is."))


class AppealForm(FlaskForm):  # type: ignore[misc]
    """Why the decision should be looked at again."""

    reason = TextAreaField(
        lazy_gettext("Why the decision is wrong"),
        [DataRequired(lazy_gettext("Say why.")), Length(max=LONGEST)],
    )


class ShareForm(FlaskForm):  # type: ignore[misc]
    """Which association may look."""

    association = SelectField(lazy_gettext("Association that may look"), default="")

    def __init__(self, associations: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.association.choices = choices(
            [("", _("Nobody")), *((one.slug, in_language(one.name)) for one in associations)]
        )


class DecisionsForm(FlaskForm):  # type: ignore[misc]
    """The decision about each outcome, with its reason."""

    outcomes: list[RequestedOutcome]

    @property
    def rows(self) -> list[tuple[RequestedOutcome, Any, Any]]:
        """Each outcome with its two fields."""
        return [
            (one, self[f"decision_{one.id}"], self[f"reason_{one.id}"]) for one in self.outcomes
        ]

    def decisions(self) -> dict[int, Decision]:
        """What was decided, by the outcome's id."""
        return {
            one.id: Decision(OutcomeDecision(decision.data), (reason.data or "").strip())
            for one, decision, reason in self.rows
        }


def decisions_form(outcomes: list[RequestedOutcome], *, is_appeal: bool) -> DecisionsForm:
    """The form for the outcomes about which is decided; on appeal no more evidence is asked for."""
    offered = [one for one in OutcomeDecision if not (is_appeal and one == "more_asked")]
    fields: dict[str, Any] = {"outcomes": outcomes}
    for outcome in outcomes:
        fields[f"decision_{outcome.id}"] = RadioField(
            lazy_gettext("Decision"),
            [InputRequired(lazy_gettext("Choose a decision."))],
            choices=choices([(str(one), DECISION_LABELS[one]) for one in offered]),
            default=None if is_appeal else outcome.decision,
        )
        fields[f"reason_{outcome.id}"] = TextAreaField(
            lazy_gettext("Reason"),
            [
                DataRequired(lazy_gettext("Give your reason; the learner reads it.")),
                Length(max=LONGEST),
            ],
            default="" if is_appeal else outcome.reason,
        )
    made: DecisionsForm = type("DecisionsFormOfRequest", (DecisionsForm,), fields)()
    return made
