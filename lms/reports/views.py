"""The first page of the reports, each report, and its downloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import urlencode

from flask import (
    Blueprint,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from markupsafe import Markup

from lms.accounts.permissions import can, require, signed_in
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.templating import format_day, format_days
from lms.core.web import MenuItem, page_number
from lms.reports.base import TOPICS, Chart, Column, Figure, Filters, Report, reports
from lms.reports.cells import shown
from lms.reports.export import Writer, write_csv, write_xlsx
from lms.reports.filters import Asked, read_filters
from lms.reports.periods import PRESETS
from lms.reports.tables import Sort, Table, Total, read_table

bp = Blueprint("reports", __name__, url_prefix="/admin/reports", template_folder="templates")

OVERVIEW_ROWS = 8
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _permitted() -> list[Report]:
    return [report for report in reports.values() if can(report.permission)]


def _on_overview(permitted: Sequence[Report]) -> list[Report]:
    shown_there = [report for report in permitted if report.is_on_overview]
    return sorted(shown_there, key=lambda report: report.overview_order)


def _by_topic(permitted: Sequence[Report]) -> list[tuple[LazyString, list[Report]]]:
    groups = [
        (label, [report for report in permitted if report.topic == topic])
        for topic, label in TOPICS.items()
    ]
    return [group for group in groups if group[1]]


def _get_report(name: str) -> Report:
    report = reports.get(name)
    if report is None:
        raise NotFound
    require(report.permission)
    return report


def key_figures(**values: Any) -> Markup | None:
    """The cards of the first page for another room's page; nothing without the right to them."""
    filters = read_filters({}, (), signed_in()).filters
    figures = [f for r in _on_overview(_permitted()) for f in r.figures(filters)]
    if not figures:
        return None
    return Markup(render_template("reports/_key_figures.html", figures=figures))  # noqa: S704


@dataclass(frozen=True)
class OverviewTable:
    """A table of the first page, with the report it comes from."""

    report: Report
    table: Table


@bp.get("/")
def overview() -> ResponseReturnValue:
    """Revenue and completions: what the reports have to say together."""
    require("reports.open")
    permitted = _permitted()
    shows = _on_overview(permitted)
    selections = {s.name: s for report in shows for s in report.selections if s.name == "currency"}
    asked = read_filters(request.args, list(selections.values()), signed_in())
    figures: list[Figure] = []
    charts: list[Chart] = []
    tables: list[OverviewTable] = []
    if not asked.errors:
        figures = [figure for report in shows for figure in report.figures(asked.filters)]
        charts = [chart for report in shows for chart in report.overview_charts(asked.filters)]
        claimed = {r.overview_table: r for r in permitted if r.overview_table}
        tables = [
            OverviewTable(report, read_table(report, asked.filters, size=OVERVIEW_ROWS))
            for report in claimed.values()
        ]
    page = render_template(
        "reports/overview.html",
        asked=asked,
        selections=list(selections.values()),
        figures=figures,
        charts=charts,
        tables=tables,
        topics=_by_topic(permitted),
        **_words(asked, url_for(".overview")),
    )
    return page, 422 if asked.errors else 200


@bp.get("/<name>")
def show_report(name: str) -> ResponseReturnValue:
    """One report: filters, figures, charts, table."""
    report = _get_report(name)
    asked = _asked(report)
    table: Table | None = None
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    if not asked.errors:
        figures, charts = report.figures(asked.filters), report.charts(asked.filters)
        table = read_table(report, asked.filters, _sort(), page_number())
    page = render_template(
        "reports/report.html",
        report=report,
        asked=asked,
        selections=report.selections,
        figures=figures,
        charts=charts,
        table=table,
        **_words(asked, url_for(".show_report", name=name)),
    )
    return page, 422 if asked.errors else 200


@bp.get("/<name>/csv")
def download_csv(name: str) -> ResponseReturnValue:
    """All rows as CSV."""
    return _download(name, "csv", "text/csv", write_csv)


@bp.get("/<name>/xlsx")
def download_xlsx(name: str) -> ResponseReturnValue:
    """All rows as a workbook."""
    return _download(name, "xlsx", _XLSX, write_xlsx)


def _download(name: str, ending: str, media_type: str, write: Writer) -> ResponseReturnValue:
    """Write the file to disk within the request's transaction, then send it in portions.

    So memory stays small, the figures are of one moment, and what goes wrong is an error page
    instead of half a file.
    """
    report = _get_report(name)
    asked = _asked(report)
    if asked.errors:
        return redirect(_page_url(report))
    file = TemporaryFile()  # noqa: SIM115
    write(report, asked.filters, file, _sort())
    file.seek(0)
    today = clock.local_date(clock.now(), asked.filters.time_zone)
    return send_file(
        file,
        mimetype=media_type,
        as_attachment=True,
        download_name=f"{report.name}-{today.isoformat()}.{ending}",
    )


def _asked(report: Report) -> Asked:
    default = "12-months" if report.has_period else "all"
    return read_filters(request.args, report.selections, signed_in(), default)


def _page_url(report: Report) -> str:
    return f"{url_for('.show_report', name=report.name)}?{request.query_string.decode('latin-1')}"


def _sort() -> Sort:
    return Sort(request.args.get("sort", ""), request.args.get("order") == "descending")


def _words(asked: Asked, path: str) -> dict[str, Any]:
    """What both pages need to draw filters and tables."""
    filters = asked.filters

    def period_url(preset: str) -> str:
        return f"{path}?{urlencode({'period': preset, **filters.values})}"

    def sort_url(column: Column, sort: Sort) -> str:
        descends = not sort.is_descending if sort.column == column.name else column.is_number
        order = "descending" if descends else "ascending"
        return f"{path}?{urlencode({**filters.query(), 'sort': column.name, 'order': order})}"

    def file_url(report: Report, kind: str, sort: Sort | None = None) -> str:
        values = filters.query()
        if sort is not None and sort.column:
            values["sort"] = sort.column
            values["order"] = "descending" if sort.is_descending else "ascending"
        return url_for(f".download_{kind}", name=report.name, **values)  # type: ignore[arg-type]

    def total_cells(columns: Sequence[Column], total: Total) -> list[str]:
        """The last line of a table: its first cell says what it is, gaps are empty."""
        values = {**total.values, "currency": total.currency}
        cells = [shown(c, values) if c.name in values and c.kind != "text" else "" for c in columns]
        name = f"{_('Total')} {total.currency}" if total.currency else _("Total")
        return [name, *cells[1:]]

    return {
        "path": path,
        "presets": [
            MenuItem(str(label), period_url(name), name == filters.period)
            for name, label in PRESETS.items()
        ],
        "period_label": _period_label(filters),
        "has_choices": any(filters.values.values()) or filters.period == "days",
        "sort_url": sort_url,
        "file_url": file_url,
        "total_cells": total_cells,
        "shown": shown,
        "seen": lambda columns: [column for column in columns if not column.in_files_only],
    }


def _period_label(filters: Filters) -> str:
    if filters.period in PRESETS:
        return str(PRESETS[filters.period])
    if filters.first and filters.last:
        return format_days(filters.first, filters.last)
    if filters.first:
        return str(_("From %(day)s", day=format_day(filters.first)))
    if filters.last:
        return str(_("Until %(day)s", day=format_day(filters.last)))
    return str(PRESETS["all"])
