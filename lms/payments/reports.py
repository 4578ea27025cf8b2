"""What payments gives to reports: revenue by month, course, run, country and currency.

All figures come from the ledger of `queries.list_ledger`: money received less money given back,
each on its own day. The list of paid orders is made of the same lines, so that what lies behind a
figure adds up to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import ColumnElement, Subquery, case, func, or_, select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.places import country_name
from lms.core.templating import format_day, format_number, format_percent
from lms.courses.models import Course, CourseRun
from lms.courses.reports import (
    COMPLETED,
    COURSE,
    ENROLLED,
    RATE,
    RUN,
    STARTED,
    CompletionsByRun,
    title_in,
)
from lms.payments import queries
from lms.payments.models import Order, Payment
from lms.reports.base import (
    Chart,
    ChartItem,
    Column,
    Figure,
    Filters,
    Report,
    RowValues,
    Selection,
    Statement,
    report_url,
)
from lms.reports.periods import last_day, month_column, months_in

UNKNOWN_COUNTRY = "-"


def _currencies(filters: Filters) -> Sequence[tuple[str, str]]:
    found = db.session.scalars(select(Payment.currency).distinct().order_by(Payment.currency))
    return [(code, code) for code in found]


def _countries(filters: Filters) -> Sequence[tuple[str, str]]:
    found = db.session.scalars(select(Order.country).distinct()).all()
    named = sorted((country_name(code), code) for code in found if code)
    pairs = [(code, name) for name, code in named]
    return [*pairs, (UNKNOWN_COUNTRY, _("Not known"))] if None in found else pairs


CURRENCY = Selection(
    "currency",
    lazy_gettext("Currency"),
    lazy_gettext("All currencies"),
    _currencies,
    lazy_gettext("Nothing was ever paid in this currency. Choose one of the list."),
)
COUNTRY = Selection(
    "country",
    lazy_gettext("Country"),
    lazy_gettext("All countries"),
    _countries,
    lazy_gettext("Nobody from this country ever ordered. Choose one of the list."),
)


def _ledger(filters: Filters) -> Subquery:
    country = filters.get("country")
    return (
        queries.list_ledger(
            since=filters.since,
            until=filters.until,
            course_id=filters.number("course"),
            run_id=filters.number("run"),
            country="" if country == UNKNOWN_COUNTRY else country,
            currency=filters.get("currency"),
        )
        .order_by(None)
        .subquery("lines")
    )


def _movements(filters: Filters) -> Subquery:
    """The ledger without course, run and country, unless a filter asks for them."""
    if any(filters.get(name) for name in ("course", "run", "country")):
        return _ledger(filters)
    return queries.list_movements(
        since=filters.since, until=filters.until, currency=filters.get("currency")
    ).subquery("lines")


def _measures(lines: Subquery) -> list[ColumnElement[Any]]:
    is_payment = lines.c.kind == "payment"
    return [
        func.count(case((is_payment, lines.c.order_id)).distinct()).label("orders"),
        func.sum(case((is_payment, lines.c.minor), else_=0)).label("paid"),
        func.sum(case((is_payment, 0), else_=-lines.c.minor)).label("refunded"),
        func.sum(lines.c.minor).label("net"),
    ]


MEASURES = [
    Column("currency", lazy_gettext("Currency"), in_files_only=True),
    Column("orders", lazy_gettext("Orders paid"), "number", has_total=True),
    Column("paid", lazy_gettext("Paid"), "money", has_total=True),
    Column("refunded", lazy_pgettext("amount", "Refunded"), "money", has_total=True),
    Column("net", lazy_gettext("Net revenue"), "money", has_total=True),
]


class RevenueReport(Report):
    """Revenue by one dimension of the ledger and by currency; a figure leads to its orders."""

    selections = (COURSE, RUN, COUNTRY, CURRENCY)
    period_of = lazy_gettext(
        "Payments count on the day they arrived, refunds on the day they were done; the ledger may"
        " count them for a later month."
    )
    dimension: ClassVar[str]

    def groups(self, filters: Filters) -> Statement:
        """The measures by dimension and currency."""
        lines = _ledger(filters)
        by = lines.c[self.dimension]
        return select(by, lines.c.currency, *_measures(lines)).group_by(by, lines.c.currency)

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The filters for what lies behind a row."""
        return filters.narrowed(currency=row["currency"])

    def detail(self) -> str:
        """The report to which the first cell of a row leads."""
        return PaidOrders.name

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The orders behind a figure; another report behind the group."""
        if column.name in ("orders", "paid", "refunded", "net"):
            return report_url(PaidOrders.name, self.behind(row, filters))
        if column.name == self.columns(filters)[0].name:
            return report_url(self.detail(), self.behind(row, filters))
        return None


class RevenueByMonth(RevenueReport):
    """What came in and went out each month."""

    name = "revenue-by-month"
    label = lazy_gettext("Revenue by month")
    description = lazy_gettext("Paid, refunded and net revenue of each month and currency.")
    order = ("-month", "currency")
    is_on_overview = True
    overview_order = 10

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The month and its measures."""
        return [Column("month", lazy_gettext("Month"), "month"), *MEASURES]

    def statement(self, filters: Filters) -> Statement:
        """The ledger by month."""
        lines = _movements(filters)
        month = month_column(lines.c.at, _months(filters), filters.time_zone).label("month")
        dated = select(lines, month).subquery("dated")
        return select(dated.c.month, dated.c.currency, *_measures(dated)).group_by(
            dated.c.month, dated.c.currency
        )

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, within the month."""
        month = date.fromisoformat(row["month"])
        return filters.narrowed(month, last_day(month), currency=row["currency"])

    def figures(self, filters: Filters) -> Sequence[Figure]:
        """Net revenue of each currency, compared with a year before."""
        found = _net(filters)
        if not found:
            return [Figure(lazy_gettext("Net revenue"), "0", _("Nothing was paid in this period."))]
        earlier = filters.a_year_before()
        before = _net(earlier) if earlier else {}
        return [
            Figure(
                lazy_gettext("Net revenue"),
                _whole(net),
                _compared(net, before.get(currency)),
                report_url(PaidOrders.name, filters.narrowed(currency=currency)),
            )
            for currency, net in found.items()
        ]

    def charts(self, filters: Filters) -> Sequence[Chart]:
        """Net revenue by month of one currency: the chosen one, else that of most orders."""
        found = _net(filters)
        if not found:
            return []
        currency = next(iter(found))
        rows = _monthly(filters)
        nets = {row["month"]: int(row["net"]) for row in rows if row["currency"] == currency}
        months = _months(filters)
        items = []
        for month in months:
            net = Money(nets.get(month.isoformat(), 0), currency)
            label = format_day(month, "MMM" if len(months) <= 12 else "yMMM")
            items.append(ChartItem(label, float(net.decimal), _whole(net)))
        description = _(
            "One bar for each month from %(first)s to %(last)s.",
            first=format_day(months[0], "yMMM"),
            last=format_day(months[-1], "yMMM"),
        )
        now = clock.local_date(clock.now(), filters.time_zone).replace(day=1)
        marked = items[-1].label if months[-1] == now and items[-1].value > 0 else None
        title = _("Net revenue by month")
        return [Chart(title, description, items, unit=currency, highlight=marked)]


def _months(filters: Filters) -> list[date]:
    """The months that a table or chart of the ledger has."""
    return filters.once("months", lambda: months_in(filters, _movements(filters).c.at))


def _monthly(filters: Filters) -> Sequence[RowValues]:
    """The ledger by month and currency."""
    statement = RevenueByMonth().statement(filters)
    return filters.once("monthly", lambda: db.session.execute(statement).mappings().all())


def _net(filters: Filters) -> dict[str, Money]:
    """Net revenue by currency, the currency of most orders first."""
    nets: dict[str, int] = defaultdict(int)
    orders: dict[str, int] = defaultdict(int)
    for row in _monthly(filters):
        nets[row["currency"]] += int(row["net"])
        orders[row["currency"]] += int(row["orders"])
    codes = sorted(nets, key=lambda code: (-orders[code], code))
    return {code: Money(nets[code], code) for code in codes}


def _whole(amount: Money) -> str:
    """An amount in whole major units, for cards and charts; tables have it to the cent."""
    return f"{amount.currency} {format_number(float(round(amount.decimal)))}"


def _compared(net: Money, before: Money | None) -> str | None:
    if before is None or before.minor <= 0:
        return None
    change = format_percent(net.minor / before.minor - 1)
    sign = "+" if net.minor >= before.minor else ""
    return str(_("%(change)s on the same days a year before", change=f"{sign}{change}"))


class RevenueByCourse(RevenueReport):
    """What each course earned."""

    name = "revenue-by-course"
    label = lazy_gettext("Revenue by course")
    description = lazy_gettext("Paid, refunded and net revenue of each course and currency.")
    order = ("course", "course_id", "currency")
    dimension = "course_id"

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The course and its measures."""
        return [Column("course", lazy_gettext("Course")), *MEASURES]

    def statement(self, filters: Filters) -> Statement:
        """The ledger by course."""
        groups = self.groups(filters).subquery("groups")
        title = func.coalesce(title_in(filters.language), str(_("Not for a course")))
        return select(groups, title.label("course")).outerjoin(
            Course, Course.id == groups.c.course_id
        )

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, within the course."""
        return filters.narrowed(course=row["course_id"] or 0, currency=row["currency"])

    def detail(self) -> str:
        """A course leads to its runs."""
        return RevenueByRun.name


class RevenueByRun(RevenueReport):
    """What each course run earned."""

    name = "revenue-by-run"
    label = lazy_gettext("Revenue by course run")
    description = lazy_gettext("Paid, refunded and net revenue of each course run and currency.")
    order = ("-starts_on", "course", "run_id", "currency")
    dimension = "run_id"

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The run and its measures."""
        return [
            Column("course", lazy_gettext("Course run")),
            Column("starts_on", lazy_gettext("Begins"), "date"),
            *MEASURES,
        ]

    def statement(self, filters: Filters) -> Statement:
        """The ledger by run."""
        groups = self.groups(filters).subquery("groups")
        return (
            select(groups, title_in(filters.language).label("course"), CourseRun.starts_on)
            .add_columns(CourseRun.course_id)
            .join(CourseRun, CourseRun.id == groups.c.run_id)
            .join(Course, Course.id == CourseRun.course_id)
        )

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, within the run."""
        return filters.narrowed(
            course=row["course_id"], run=row["run_id"], currency=row["currency"]
        )


class RevenueByCountry(RevenueReport):
    """From where the money came."""

    name = "revenue-by-country"
    label = lazy_gettext("Revenue by country")
    description = lazy_gettext(
        "Paid, refunded and net revenue by the buyers' countries and by currency."
    )
    order = ("country", "currency")
    dimension = "country"

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The country and its measures."""
        country = Column("country", lazy_gettext("Country"), words=_country_words)
        return [country, *MEASURES]

    def statement(self, filters: Filters) -> Statement:
        """The ledger by country."""
        groups = self.groups(filters).subquery("groups")
        others = [column for column in groups.c if column.name != "country"]
        known = func.coalesce(groups.c.country, UNKNOWN_COUNTRY)
        return select(known.label("country"), *others)

    def behind(self, row: RowValues, filters: Filters) -> Filters:
        """The same filters, within the country."""
        return filters.narrowed(country=row["country"], currency=row["currency"])


def _country_words(code: str) -> str:
    return _("Not known") if code == UNKNOWN_COUNTRY else country_name(code)


class RevenueByCurrency(RevenueReport):
    """One line for each currency."""

    name = "revenue-by-currency"
    label = lazy_gettext("Revenue by currency")
    description = lazy_gettext("Paid, refunded and net revenue of each currency.")
    order = ("currency",)
    dimension = "currency"

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The currency and its measures."""
        return [Column("currency", lazy_gettext("Currency")), *MEASURES[1:]]

    def statement(self, filters: Filters) -> Statement:
        """The ledger by currency."""
        lines = _movements(filters)
        return select(lines.c.currency, *_measures(lines)).group_by(lines.c.currency)

    def detail(self) -> str:
        """A currency leads to its months."""
        return RevenueByMonth.name


class PaidOrders(Report):
    """The orders behind every figure of revenue."""

    name = "paid-orders"
    label = lazy_gettext("Paid orders")
    description = lazy_gettext(
        "The orders behind the revenue: what was paid and refunded for each in the period."
    )
    period_of = RevenueReport.period_of
    selections = (COURSE, RUN, COUNTRY, CURRENCY)
    order = ("-at", "-order_id")
    is_list = True

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The order, who, what, and its measures."""
        return [
            Column("number", lazy_gettext("Order")),
            Column("at", lazy_gettext("Last movement"), "date"),
            Column("buyer", lazy_gettext("Buyer")),
            Column("course", lazy_gettext("Course run")),
            Column("starts_on", lazy_gettext("Begins"), "date"),
            Column("country", lazy_gettext("Country"), words=country_name),
            MEASURES[0],
            *MEASURES[2:],
        ]

    def counted(self, filters: Filters) -> Statement:
        """The ledger by order."""
        lines = _ledger(filters)
        return select(
            lines.c.order_id,
            lines.c.currency,
            func.max(lines.c.at).label("at"),
            *_measures(lines)[1:],
        ).group_by(lines.c.order_id, lines.c.currency)

    def statement(self, filters: Filters) -> Statement:
        """The ledger by order, with who and what."""
        groups = self.counted(filters).subquery("groups")
        return (
            select(
                groups,
                Order.number,
                Order.uuid.label("order_uuid"),
                Order.user_id,
                func.coalesce(Order.buyer_name, User.name).label("buyer"),
                Order.country,
                CourseRun.starts_on,
                func.coalesce(
                    Order.words[filters.language].as_string(),
                    Order.words["en"].as_string(),
                    title_in(filters.language),
                ).label("course"),
            )
            .join(Order, Order.id == groups.c.order_id)
            .join(User, User.id == Order.user_id)
            .outerjoin(CourseRun, CourseRun.id == Order.run_id)
            .outerjoin(Course, Course.id == CourseRun.course_id)
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The order's own page, and the buyer's."""
        if column.name == "number":
            return url_for("payments.admin_order", order_uuid=row["order_uuid"])
        if column.name == "buyer":
            return url_for("administration.person", user_id=row["user_id"])
        return None


class RunResults(CompletionsByRun):
    """Course runs with completions and revenue side by side."""

    name = "run-results"
    label = lazy_gettext("Course runs")
    description = lazy_gettext("Enrolled, completed and net revenue of each course run.")
    permission = "reports.read"
    period_of = lazy_gettext(
        "Completions are those of the people who enrolled in the period; the revenue is what was"
        " paid and refunded in the period."
    )
    selections = (COURSE, RUN, CURRENCY)
    is_on_overview = False

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The run, its completions and one column for each currency."""
        label = lazy_gettext("Net revenue")
        money = [
            Column(_net_name(code), label, "money", has_total=True, currency=code)
            for code in self._shown_currencies(filters)
        ]
        return [*self.run_columns(), ENROLLED, STARTED, COMPLETED, RATE, *money]

    def _shown_currencies(self, filters: Filters) -> list[str]:
        chosen = filters.get("currency")
        return [chosen] if chosen else list(_net(filters))

    def statement(self, filters: Filters) -> Statement:
        """The runs in which somebody enrolled or for which money moved."""
        people = self.groups(filters)
        lines = _ledger(filters)
        codes = self._shown_currencies(filters)
        money = (
            select(
                lines.c.run_id,
                *(
                    func.sum(case((lines.c.currency == code, lines.c.minor))).label(_net_name(code))
                    for code in codes
                ),
            )
            .group_by(lines.c.run_id)
            .subquery("money")
        )
        counts = ("enrolled", "started", "completed")
        return (
            select(
                CourseRun.id.label("run_id"),
                CourseRun.course_id,
                CourseRun.starts_on,
                title_in(filters.language).label("course"),
                *(func.coalesce(people.c[name], 0).label(name) for name in counts),
                *(money.c[_net_name(code)] for code in codes),
            )
            .join(Course, Course.id == CourseRun.course_id)
            .outerjoin(people, people.c.run_id == CourseRun.id)
            .outerjoin(money, money.c.run_id == CourseRun.id)
            .where(or_(people.c.run_id.is_not(None), money.c.run_id.is_not(None)))
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The learners or the orders behind a figure."""
        if column.currency is None:
            return super().link(column, row, filters)
        behind = filters.narrowed(
            course=row["course_id"], run=row["run_id"], currency=column.currency
        )
        return report_url(PaidOrders.name, behind)


def _net_name(currency: str) -> str:
    return f"net_{currency}"


REPORTS: list[Report] = [
    RevenueByMonth(),
    RevenueByCourse(),
    RevenueByRun(),
    RevenueByCountry(),
    RevenueByCurrency(),
    PaidOrders(),
    RunResults(),
]
