"""The shape of what people type about costs and decisions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, DecimalField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from lms.core.choices import choices
from lms.core.money import InvalidAmount, Money
from lms.core.settings import settings
from lms.core.validators import SensibleDate
from lms.courses.models import CourseRun
from lms.recovery.models import CostBasis, CostKind, Decision, MoveAnswer, RunBudget
from lms.recovery.queries.break_even import today

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
