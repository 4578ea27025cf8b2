"""Filters, columns and words that the reports of cost recovery share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, Subquery, func, select

from lms.core.places import country_name
from lms.courses.models import Course, CourseRun
from lms.courses.reports import title_in
from lms.ledger.queries import known
from lms.payments.gateways.base import payment_gateways
from lms.recovery.queries import money
from lms.recovery.queries.money import Wanted
from lms.reports.base import Column, Filters, Selection, Statement
from lms.reports.periods import last_day

NONE = "-"  # a choice of what has no country or rail


def _currencies(filters: Filters) -> Sequence[tuple[str, str]]:
    return [(code, code) for code in known("currency")]


def _countries(filters: Filters) -> Sequence[tuple[str, str]]:
    return [(code or NONE, country_words(code)) for code in known("country")]


def _rails(filters: Filters) -> Sequence[tuple[str, str]]:
    return [(name or NONE, rail_words(name)) for name in known("rail")]


def country_words(code: str) -> str:
    """A country of the ledger in words."""
    return country_name(code) if code and code != NONE else _("Not known")


def rail_words(name: str) -> str:
    """A way to pay in words; also of one whose plugin is gone."""
    gateway = payment_gateways.get(name)
    if gateway is not None:
        return str(gateway.label)
    return _("None") if name in ("", NONE) else name


ENTRIES = "recovery-entries"  # the report to which every figure leads

MEASURE_LABELS = {
    "invoiced": lazy_gettext("Invoiced"),
    "earned": lazy_gettext("Earned"),
    "collected": lazy_gettext("Collected"),
}

CURRENCY = Selection(
    "currency",
    lazy_gettext("Currency"),
    lazy_gettext("All currencies"),
    _currencies,
    lazy_gettext("The ledger holds nothing in this currency. Choose one of the list."),
)
COUNTRY = Selection(
    "country",
    lazy_gettext("Country"),
    lazy_gettext("All countries"),
    _countries,
    lazy_gettext("The ledger holds nothing from this country. Choose one of the list."),
)
RAIL = Selection(
    "rail",
    lazy_gettext("Way to pay"),
    lazy_gettext("All ways to pay"),
    _rails,
    lazy_gettext("Nothing was ever paid this way. Choose one of the list."),
)
MEASURE = Selection(
    "measure",
    lazy_gettext("Figure"),
    lazy_gettext("All figures"),
    lambda filters: [
        *((name, str(label)) for name, label in MEASURE_LABELS.items()),
        ("given_back", _("Given back")),
    ],
    lazy_gettext("There is no such figure. Choose one of the list."),
)
COLUMNS = [
    Column("currency", lazy_gettext("Currency"), in_files_only=True),
    *(Column(name, label, "money", has_total=True) for name, label in MEASURE_LABELS.items()),
]
PERIOD_OF = lazy_gettext(
    "Whole months of the ledger: an entry that came after its month was closed counts for the next."
    " Invoiced and collected hold tax, earned does not."
)


def _one(filters: Filters, name: str) -> str | None:
    value = filters.get(name)
    return "" if value == NONE else value


def wanted(filters: Filters) -> Wanted:
    """What a reader's filters ask of the ledger."""
    return Wanted(
        first=money.month_of(filters.first),
        last=money.month_of(filters.last),
        country=_one(filters, "country"),
        currency=_one(filters, "currency"),
        rail=_one(filters, "rail"),
        run_id=filters.number("run"),
        course_id=filters.number("course"),
    )


def wanted_days(filters: Filters) -> Wanted:
    """The same, to the day."""
    return replace(wanted(filters), since=filters.first, until=filters.last)


def whole_months(filters: Filters) -> Filters:
    """The filters with the days that the sums of months hold."""
    first = filters.first.replace(day=1) if filters.first else None
    last = last_day(filters.last.replace(day=1)) if filters.last else None
    return replace(filters, period="days" if first or last else "all", first=first, last=last)


def with_runs(rows: Subquery, filters: Filters, unnamed: ColumnElement[str] | str) -> Statement:
    """Rows of products with their course runs: title, starts_on, run, course.

    unnamed: stands for the title of what is no course run.
    """
    return (
        select(
            rows,
            func.coalesce(title_in(filters.language), unnamed).label("title"),
            CourseRun.starts_on,
            CourseRun.id.label("run"),
            CourseRun.course_id.label("course"),
        )
        .select_from(rows)
        .outerjoin(CourseRun, CourseRun.id == money.run_of(rows.c.product))
        .outerjoin(Course, Course.id == CourseRun.course_id)
    )
