"""The shape of what people type about costs and decisions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    DecimalField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)
from wtforms.widgets import CheckboxInput, ListWidget

from lms.core.choices import choices
from lms.core.money import InvalidAmount, Money
from lms.core.settings import settings
from lms.core.templating import format_day
from lms.core.validators import SensibleDate
from lms.courses.models import CourseRun
from lms.ledger.services.entries import first_open_day
from lms.recovery.models import (
    CostBasis,
    CostKind,
    Decision,
    FunderTable,
    MoveAnswer,
    Rhythm,
    RunBudget,
)
from lms.recovery.queries.break_even import today
from lms.reports.base import Report, reports

BASES = {
    CostBasis.FIXED: lazy_gettext("Once for the run"),
    CostBasis.PER_LEARNER: lazy_gettext("For each learner"),
}
KINDS = {
    CostKind.TEACHING: lazy_gettext("Teaching"),
    CostKind.WRITING: lazy_gettext("Writing the course"),
    CostKind.TRANSLATION: lazy_gettext("Translation"),
    CostKind.MATERIALS: lazy_gettext("Materials"),
    CostKind.PLATFORM: lazy_gettext("Site and support"),
    CostKind.CERTIFICATES: lazy_gettext("Certificates"),
    CostKind.OTHER: lazy_gettext("Other"),
}
DECISIONS = {
    Decision.CONFIRM: lazy_gettext("Confirm: it takes place on its days"),
    Decision.DEFER: lazy_gettext("Move it: later days, and each learner may leave with a refund"),
    Decision.CANCEL: lazy_gettext("Cancel it and give all money back"),
}
MAX_MINOR = 10**12
_REQUIRED = lazy_gettext("Choose a day.")


class ActionForm(FlaskForm):  # type: ignore[misc]
    """A button that changes something: only the protection against forged requests."""


class CostForm(FlaskForm):  # type: ignore[misc]
    """Something that a run costs."""

    basis = SelectField(lazy_gettext("Paid"))
    kind = SelectField(lazy_gettext("What for"))
    amount = StringField(
        lazy_gettext("Amount"), [DataRequired(lazy_gettext("Type an amount, such as 250."))]
    )
    currency = SelectField(lazy_gettext("Currency"))
    spent_on = DateField(lazy_gettext("Day"), [InputRequired(_REQUIRED), SensibleDate()])
    note = StringField(lazy_gettext("Note"), [Optional(), Length(max=200)])

    def __init__(self, run: CourseRun, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.basis.choices = choices([(k.value, str(text)) for k, text in BASES.items()])
        self.kind.choices = choices([(k.value, str(text)) for k, text in KINDS.items()])
        codes = dict.fromkeys([run.price.currency, *settings().currencies])
        self.currency.choices = choices([(code, code) for code in codes])
        if not self.is_submitted():
            self.currency.data, self.spent_on.data = run.price.currency, today()

    def money(self) -> Money:
        """The typed amount. Raises InvalidAmount."""
        return Money.parse(
            self.amount.data or "", str(self.currency.data), str(get_locale() or "en")
        )

    def validate_spent_on(self, field: DateField) -> None:
        """A closed month takes nothing any more, as in the ledger."""
        if field.data is None or (first := first_open_day(field.data)) == field.data:
            return
        raise ValidationError(
            _(
                "%(month)s is closed and takes nothing any more. Choose a day from %(day)s on, and"
                " write the real day into the note.",
                month=format_day(field.data, "yMMMM"),
                day=format_day(first),
            )
        )

    def validate_amount(self, field: StringField) -> None:
        """A positive amount of the currency."""
        try:
            minor = self.money().minor
        except InvalidAmount:
            minor = 0
        if not 0 < minor < MAX_MINOR:
            raise ValidationError(_("Type an amount above zero, such as 250."))


class BudgetForm(FlaskForm):  # type: ignore[misc]
    """What is reckoned with, and when it is decided."""

    decide_on = DateField(lazy_gettext("Decision date"), [Optional(), SensibleDate()])
    fee = DecimalField(
        lazy_gettext("Expected fee of the payment service, in per cent"),
        [InputRequired(), NumberRange(0, 100)],
        places=2,
    )
    share = DecimalField(
        lazy_gettext("Expected share of partners, in per cent"),
        [InputRequired(), NumberRange(0, 100)],
        places=2,
    )

    def __init__(self, budget: RunBudget | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not self.is_submitted():
            self.decide_on.data = budget.decide_on if budget else None
            self.fee.data = Decimal(budget.fee_hundredths if budget else 300) / 100
            self.share.data = Decimal(budget.share_hundredths if budget else 0) / 100

    def hundredths(self) -> tuple[int, int]:
        """Fee and share in hundredths of a per cent."""
        return int((self.fee.data or 0) * 100), int((self.share.data or 0) * 100)


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """Confirm, move or cancel."""

    decision = RadioField(
        lazy_gettext("Decision"), [InputRequired(lazy_gettext("Choose what becomes of the run."))]
    )
    starts_on = DateField(lazy_gettext("New first day"), [Optional(), SensibleDate()])
    decide_on = DateField(lazy_gettext("Decide again on"), [Optional(), SensibleDate()])
    note = TextAreaField(lazy_gettext("Reason"), [Optional(), Length(max=500)])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.decision.choices = choices([(k.value, str(text)) for k, text in DECISIONS.items()])

    def validate(self, extra_validators: Any = None) -> bool:
        """A run that is moved has a new first day, and is decided on again before it."""
        is_right = bool(super().validate(extra_validators))
        if self.decision.data == Decision.DEFER and self.starts_on.data is None:
            self.starts_on.errors = [*self.starts_on.errors, _("Choose the new first day.")]
            is_right = False
        first, again = self.starts_on.data, self.decide_on.data
        if first and again and again > first:
            self.decide_on.errors = [_("Decide again before the run begins.")]
            is_right = False
        return is_right


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """What a learner of a moved run wants."""

    answer = RadioField(
        lazy_gettext("Your answer"), [InputRequired(lazy_gettext("Choose one of the two."))]
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answer.choices = choices(
            [
                (MoveAnswer.STAY.value, _("Keep my place on the new dates")),
                (MoveAnswer.LEAVE.value, _("Leave the course and get my money back")),
            ]
        )


RHYTHMS = {
    Rhythm.WEEKLY: lazy_gettext("Every Monday"),
    Rhythm.MONTHLY: lazy_gettext("On the first day of each month"),
}
TABLES = {
    FunderTable.RUNS: lazy_gettext("Learners by course run"),
    FunderTable.COUNTRIES: lazy_gettext("Learners by country"),
    FunderTable.MONEY: lazy_gettext("Invoiced and collected by course run"),
    FunderTable.FUND: lazy_gettext("What a scholarship fund did, by course run"),
}


class MailForm(FlaskForm):  # type: ignore[misc]
    """A report to be mailed."""

    address = StringField(
        lazy_gettext("Address of the report"),
        [DataRequired(lazy_gettext("Copy the address of a report here.")), Length(max=2000)],
    )
    rhythm = SelectField(lazy_gettext("How often"))

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rhythm.choices = choices([(k.value, str(text)) for k, text in RHYTHMS.items()])

    def report(self) -> Report | None:
        """The report of the address, None when it is none."""
        path = urlsplit(self.address.data or "").path.rstrip("/")
        return reports.get(path.rpartition("/")[2]) if "/reports/" in path else None

    def values(self) -> dict[str, str]:
        """The filters of the address."""
        return dict(parse_qsl(urlsplit(self.address.data or "").query))


class FunderForm(FlaskForm):  # type: ignore[misc]
    """What a funder may read, and until when."""

    title = StringField(
        lazy_gettext("Title that the funder reads"),
        [DataRequired(lazy_gettext("Write a title.")), Length(max=120)],
    )
    tables = SelectMultipleField(
        lazy_gettext("Tables"),
        [InputRequired(lazy_gettext("Choose at least one table."))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    course = SelectField(lazy_gettext("Course"))
    fund = SelectField(lazy_gettext("Scholarship fund"), default="")
    first = DateField(lazy_gettext("First day"), [InputRequired(_REQUIRED), SensibleDate()])
    last = DateField(lazy_gettext("Last day"), [InputRequired(_REQUIRED), SensibleDate()])
    expires_on = DateField(lazy_gettext("Open until"), [InputRequired(_REQUIRED), SensibleDate()])

    def __init__(
        self, courses: Sequence[tuple[str, str]], funds: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.fund.choices = choices([("", _("None of them")), *funds])
        self.tables.choices = choices([(k.value, str(text)) for k, text in TABLES.items()])
        self.course.choices = choices([("", _("All courses")), *courses])

    def validate_fund(self, field: SelectField) -> None:
        """Its table is of one fund."""
        if FunderTable.FUND in (self.tables.data or []) and not field.data:
            raise ValidationError(_("Choose the fund."))

    def validate_last(self, field: DateField) -> None:
        """Not before the first day."""
        if field.data and self.first.data and field.data < self.first.data:
            raise ValidationError(_("The last day comes before the first."))

    def validate_expires_on(self, field: DateField) -> None:
        """Not in the past."""
        if field.data and field.data < today():
            raise ValidationError(_("Choose a day that is not over."))
