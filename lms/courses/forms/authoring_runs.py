"""What authors type about course runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from lms.config import LANGUAGES
from lms.core import clock
from lms.core.amounts import amount_text
from lms.core.choices import choices, grouped_choices
from lms.core.money import InvalidAmount, Money
from lms.core.places import time_zone_choices
from lms.core.settings import settings
from lms.core.validators import SensibleDate
from lms.courses.forms.authoring import EditedForm, KeyedForm, edition
from lms.courses.models import Course, CourseRun, Release
from lms.courses.services.runs import RunPlan, plan_of

_MAX_PRICE = 10**12  # minor units


class RunForm(EditedForm, KeyedForm):
    """Dates, places and price of a run."""

    starts_on = DateField(lazy_gettext("First day"), [InputRequired(), SensibleDate()])
    ends_on = DateField(
        lazy_gettext("Last day"),
        [InputRequired(), SensibleDate()],
        description=lazy_gettext("14 to 28 days, the first and the last included."),
    )
    allow_length = BooleanField(lazy_gettext("Allow a run shorter than 14 or longer than 28 days"))
    time_zone = SelectField(
        lazy_gettext("Time zone"),
        description=lazy_gettext("Days begin and end, and things are due, on this clock."),
    )
    language = SelectField(lazy_gettext("Language of teaching"))
    capacity = IntegerField(
        lazy_gettext("Places"),
        [Optional(), NumberRange(1, 100_000)],
        description=lazy_gettext("Leave it empty for as many as come."),
    )
    amount = StringField(
        lazy_gettext("Price"),
        [Length(max=30)],
        description=lazy_gettext("0 or empty for a free run."),
    )
    currency = SelectField(lazy_gettext("Currency"), validate_choice=False)
    confirm_price = BooleanField(
        lazy_gettext("Change the price, although people have enrolled at the present one")
    )
    enrolment_opens = DateTimeLocalField(
        lazy_gettext("Enrolment opens"),
        [Optional(), SensibleDate()],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description=lazy_gettext("On the clock of the run. At once when empty."),
    )
    enrolment_closes = DateTimeLocalField(
        lazy_gettext("Enrolment closes"),
        [Optional(), SensibleDate()],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description=lazy_gettext("On the clock of the run. With its last day when empty."),
    )
    release = RadioField(
        lazy_gettext("Modules open"),
        choices=choices(
            [
                (str(Release.BY_WEEK), lazy_gettext("One each week")),
                (str(Release.AT_ONCE), lazy_gettext("All on the first day")),
            ]
        ),
        default=str(Release.BY_WEEK),
    )

    def choose(self, course: Course) -> None:
        """Fill the choices for one course."""
        zones = time_zone_choices()
        known = {zone for pairs in zones.values() for zone, _city in pairs}
        if self.time_zone.data and self.time_zone.object_data not in (None, *known):
            zones = {_("As before"): [(self.time_zone.object_data,) * 2], **zones}
        self.time_zone.choices = grouped_choices(zones)
        codes = dict.fromkeys([*course.languages, *LANGUAGES])
        self.language.choices = choices((code, LANGUAGES.get(code, code)) for code in codes)
        self.currency.choices = choices((code, code) for code in settings().currencies)

    def validate_ends_on(self, field: DateField) -> None:
        """The last day is not before the first."""
        if self.starts_on.data and field.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day is before the first day."))

    def validate_currency(self, field: SelectField) -> None:
        """One of the currencies of this site."""
        if field.data not in settings().currencies:
            raise ValidationError(
                _(
                    "%(code)s is not a currency in which runs can be priced here. Choose one of:"
                    " %(known)s.",
                    code=str(field.data)[:10],
                    known=", ".join(settings().currencies),
                )
            )

    def validate_amount(self, field: StringField) -> None:
        """An amount as people of the author's language write it."""
        if self.currency.data not in settings().currencies:
            return
        try:
            price = self.price()
        except InvalidAmount:
            price = Money(-1, "CAD")
        if not 0 <= price.minor < _MAX_PRICE:
            example = amount_text(Money(123450, "CAD"))
            raise ValidationError(
                _("Write an amount such as %(example)s.", example=example)
            ) from None

    def validate_enrolment_closes(self, field: DateTimeLocalField) -> None:
        """Enrolment does not close before it opens, nor after the run."""
        closes = field.data
        if closes and self.enrolment_opens.data and closes <= self.enrolment_opens.data:
            raise ValidationError(_("Enrolment would close before it opens."))
        if closes and self.ends_on.data and closes.date() > self.ends_on.data:
            raise ValidationError(_("Enrolment would close after the last day."))

    def price(self) -> Money:
        """The typed price. Raises InvalidAmount."""
        text = (self.amount.data or "").strip() or "0"
        return Money.parse(text, self.currency.data, str(get_locale() or "en"))

    def plan(self) -> RunPlan:
        """What was decided; the form has been validated."""
        assert self.starts_on.data is not None
        assert self.ends_on.data is not None
        return RunPlan(
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
            time_zone=self.time_zone.data,
            language=self.language.data,
            capacity=self.capacity.data,
            price=self.price(),
            enrolment_opens_at=_instant(self.enrolment_opens.data, self.time_zone.data),
            enrolment_closes_at=_instant(self.enrolment_closes.data, self.time_zone.data),
            release=self.release.data,
        )


class CopyForm(KeyedForm):
    """When a copy of a run starts."""

    starts_on = DateField(lazy_gettext("First day of the copy"), [InputRequired(), SensibleDate()])
    allow_length = BooleanField(lazy_gettext("Allow a run shorter than 14 or longer than 28 days"))


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """A question with one answer."""

    sure = HiddenField()


def _instant(local: datetime | None, time_zone: str) -> datetime | None:
    return local.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC) if local else None


def _local(instant: datetime | None, time_zone: str) -> datetime | None:
    return instant.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None) if instant else None


def run_values(run: CourseRun) -> dict[str, Any]:
    """What a RunForm begins with."""
    return {
        "starts_on": run.starts_on,
        "ends_on": run.ends_on,
        "time_zone": run.time_zone,
        "language": run.language,
        "capacity": run.capacity,
        "amount": amount_text(run.price),
        "currency": run.price.currency,
        "enrolment_opens": _local(run.enrolment_opens_at, run.time_zone),
        "enrolment_closes": _local(run.enrolment_closes_at, run.time_zone),
        "release": str(run.release),
        "key": str(run.uuid),
    }


def new_run_values(course: Course, time_zone: str) -> dict[str, Any]:
    """Useful first values for a new run: in four weeks, on a Monday, like the last one."""
    last = course.runs[-1] if course.runs else None
    start = clock.local_date(clock.now(), time_zone) + timedelta(days=28)
    start += timedelta(days=-start.weekday() % 7)
    days = max(14, min(28, 7 * course.weeks))
    return {
        "starts_on": start,
        "ends_on": start + timedelta(days=days - 1),
        "time_zone": last.time_zone if last else time_zone,
        "language": last.language if last else course.languages[0],
        "capacity": last.capacity if last else 30,
        "amount": amount_text(last.price) if last else "0",
        "currency": last.price.currency if last else settings().currencies[0],
        "release": str(last.release if last else Release.BY_WEEK),
    }


def run_edition(run: CourseRun) -> str:
    """The mark of a run."""
    plan = plan_of(run)
    return edition(vars(plan) | {"price": [plan.price.minor, plan.price.currency]})
