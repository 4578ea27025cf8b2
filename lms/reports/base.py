"""What a report is: filters, columns, one statement, figures and charts.

A room that owns data makes its own subclasses of `Report` and gives them through the hook
`reports`. Everything is computed in the database: `statement` gives the rows, this room sorts,
pages, totals and exports them. Amounts of different currencies are never added.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

from flask import url_for
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from sqlalchemy import Select

from lms.accounts.models import User
from lms.core import clock
from lms.core.registry import Registered

Text: TypeAlias = str | LazyString
Statement: TypeAlias = Select[*tuple[Any, ...]]
Kind = Literal["text", "number", "money", "percent", "date", "month"]
RowValues: TypeAlias = Mapping[Any, Any]
T = TypeVar("T")


class Topic(StrEnum):
    """What a report is about: the headings of the list of all reports, in their order."""

    LEARNING = "learning"
    MONEY = "money"
    BALANCES = "balances"
    OTHER = "other"


TOPICS: Mapping[Topic, LazyString] = {
    Topic.LEARNING: lazy_gettext("Learners and certificates"),
    Topic.MONEY: lazy_gettext("What is sold, earned and collected"),
    Topic.BALANCES: lazy_gettext("What is owed and held"),
    Topic.OTHER: lazy_gettext("Other reports"),
}


@dataclass(frozen=True)
class Filters:
    """What the reader wants to see.

    first, last: whole days in `time_zone`, both included; None: open. period: the name of the
    preset that these days come from, "days" when they were typed. values: by name of selection.
    """

    user: User
    time_zone: str
    language: str
    period: str = "all"
    first: date | None = None
    last: date | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    _known: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def since(self) -> datetime | None:
        """The first instant of the period."""
        return clock.start_of_day(self.first, self.time_zone) if self.first else None

    @property
    def until(self) -> datetime | None:
        """The first instant after the period."""
        if self.last is None:
            return None
        return clock.start_of_day(self.last + timedelta(days=1), self.time_zone)

    def get(self, name: str) -> str | None:
        """The chosen value of a selection, None when all are wanted."""
        return self.values.get(name) or None

    def number(self, name: str) -> int | None:
        """The chosen value of a selection of ids."""
        value = self.get(name)
        return int(value) if value is not None and value.isdecimal() else None

    def once(self, key: Any, find: Callable[[], T]) -> T:
        """What `find` gives, asked once for these filters."""
        if key not in self._known:
            self._known[key] = find()
        found: T = self._known[key]
        return found

    def chosen(self, name: str, value: str) -> Filters:
        """These filters with one more choice."""
        return replace(self, values={**self.values, name: value}, _known={})

    def narrowed(
        self, first: date | None = None, last: date | None = None, **values: object
    ) -> Filters:
        """These filters with further values, and days cut to those given; None leaves as is."""
        starts = [day for day in (self.first, first) if day]
        ends = [day for day in (self.last, last) if day]
        has_days = first is not None or last is not None
        return replace(
            self,
            period="days" if has_days else self.period,
            first=max(starts, default=None),
            last=min(ends, default=None),
            values={**self.values, **{k: str(v) for k, v in values.items() if v is not None}},
            _known={},
        )

    def a_year_before(self) -> Filters | None:
        """The same days one year earlier; None when the period is open."""
        if self.first is None or self.last is None:
            return None
        days = [_year_before(self.first), _year_before(self.last)]
        return replace(self, period="days", first=days[0], last=days[1], _known={})

    def query(self) -> dict[str, str]:
        """The filters as parameters of an address."""
        days = {"first": self.first, "last": self.last}
        return {
            "period": self.period,
            **{name: day.isoformat() for name, day in days.items() if day},
            **{name: value for name, value in self.values.items() if value},
        }


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)


@dataclass(frozen=True)
class Selection:
    """A filter with choices. `choices` gives pairs of value and text for the present filters.

    unknown: what the reader is told about a value that is not among them.
    """

    name: str
    label: Text
    any_label: Text
    choices: Callable[[Filters], Sequence[tuple[str, str]]]
    unknown: Text


@dataclass(frozen=True)
class Column:
    """A column of a report, of the same name as a column of its statement.

    Values: text str, number int or float, money minor units, percent 0..1, date date or aware
    datetime, month the first day as ISO text. of: the columns whose quotient a percent is; then
    the statement need not have it. currency: of a money column; without one each row has its own
    in the statement's column `currency`. words: the value in the reader's words. in_files_only:
    not on the page, which shows it in another column.
    """

    name: str
    label: Text
    kind: Kind = "text"
    has_total: bool = False
    of: tuple[str, str] | None = None
    currency: str | None = None
    words: Callable[[Any], str] | None = None
    in_files_only: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it stands at the end of its column and begins with the largest when sorted."""
        return self.kind in ("number", "money", "percent")


@dataclass(frozen=True)
class Figure:
    """A card with one figure, formatted for the reader."""

    label: Text
    value: str
    note: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class ChartItem:
    """One bar, point or line of a chart."""

    label: str
    value: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart drawn by the server; it brings its figures as a table."""

    title: str
    description: str
    items: Sequence[ChartItem]
    kind: Literal["bar", "line", "list"] = "bar"
    unit: str | None = None
    highlight: str | None = None
    label_head: str | None = None


class Report:
    """A table to read, to filter and to download.

    name: part of the address, unique. topic: the heading under which it is listed. permission: who
    may open it; rows beyond the reader's own courses are the statement's to leave out. order:
    columns of the statement that put the rows in a definite order, a leading "-" for descending;
    never_empty: those of them that always have a value, so that an index can give them in order.
    is_on_overview: its figures and charts stand on the first page, in the order of overview_order;
    overview_table: so does its table, unless a report of a later room claims the same key.
    is_list: may have a row for each person or order; then the database sorts and pages. The rows
    of other reports are few and read at once, so that they are computed once.
    """

    name: ClassVar[str]
    label: ClassVar[Text]
    description: ClassVar[Text]
    topic: ClassVar[Topic] = Topic.OTHER
    permission: ClassVar[str] = "reports.read"
    has_period: ClassVar[bool] = True
    period_of: ClassVar[Text | None] = None
    selections: ClassVar[Sequence[Selection]] = ()
    order: ClassVar[Sequence[str]]
    never_empty: ClassVar[Collection[str]] = ()
    is_on_overview: ClassVar[bool] = False
    overview_order: ClassVar[int] = 50
    overview_table: ClassVar[str | None] = None
    is_list: ClassVar[bool] = False

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The columns from left to right."""
        raise NotImplementedError

    def statement(self, filters: Filters) -> Statement:
        """All rows in any order: the columns by name, and what `link` needs beside them."""
        raise NotImplementedError

    def counted(self, filters: Filters) -> Statement:
        """The rows of a list with only what is summed, for the totals.

        They may be sums themselves, with a column `lines` that says of how many rows each.
        """
        return self.statement(filters)

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """Where a cell leads: to what lies behind its figure."""
        return None

    def figures(self, filters: Filters) -> Sequence[Figure]:
        """Cards above the table."""
        return ()

    def charts(self, filters: Filters) -> Sequence[Chart]:
        """Charts above the table."""
        return ()

    def overview_charts(self, filters: Filters) -> Sequence[Chart]:
        """Those of them that stand on the first page."""
        return self.charts(filters)

    def url(self, filters: Filters) -> str:
        """The address of this report with filters."""
        return report_url(self.name, filters)


def report_url(name: str, filters: Filters) -> str:
    """The address of a report with filters."""
    return url_for("reports.show_report", name=name, **filters.query())  # type: ignore[arg-type]


reports: Registered[Report] = Registered("reports", Report)
