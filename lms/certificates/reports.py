"""What certificates give to reports: issued and verified, by month and by course run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, Subquery, case, func, literal, select, union_all

from lms.certificates.models import Credential, VerificationLog
from lms.core.db import db
from lms.core.templating import format_number
from lms.courses.models import Course, CourseRun
from lms.courses.reports import COURSE, RUN, title_in
from lms.reports.base import (
    Column,
    Figure,
    Filters,
    Report,
    RowValues,
    Statement,
    Topic,
    report_url,
)
from lms.reports.periods import last_day, month_column, months_in

ISSUED = Column("issued", lazy_gettext("Issued"), "number", has_total=True)
REVOKED = Column("revoked", lazy_gettext("Of these, revoked"), "number", has_total=True)
VERIFIED = Column("verified", lazy_gettext("Times verified"), "number", has_total=True)


def _within(statement: Statement, at: ColumnElement[datetime], filters: Filters) -> Statement:
    if filters.since is not None:
        statement = statement.where(at >= filters.since)
    if filters.until is not None:
        statement = statement.where(at < filters.until)
    if (course_id := filters.number("course")) is not None:
        statement = statement.where(Credential.course_id == course_id)
    if (run_id := filters.number("run")) is not None:
        statement = statement.where(Credential.run_id == run_id)
    return statement


def _happenings(filters: Filters) -> Subquery:
    """One row for each certificate issued and for each time one was verified."""
    issued: Statement = select(
        Credential.issued_at.label("at"),
        Credential.run_id.label("run_id"),
        literal(1).label("issued"),
        case((Credential.revoked_at.is_not(None), 1), else_=0).label("revoked"),
        literal(0).label("verified"),
    )
    verified: Statement = select(
        VerificationLog.at, Credential.run_id, literal(0), literal(0), literal(1)
    ).join(Credential, Credential.id == VerificationLog.credential_id)
    return union_all(
        _within(issued, Credential.issued_at.expression, filters),
        _within(verified, VerificationLog.at.expression, filters),
    ).subquery("happenings")


def _measures(rows: Subquery) -> list[ColumnElement[Any]]:
    return [func.sum(rows.c[name]).label(name) for name in ("issued", "revoked", "verified")]


class CertificatesByMonth(Report):
    """How many certificates were issued and verified each month."""

    topic = Topic.LEARNING
    name = "certificates-by-month"
    label = lazy_gettext("Certificates by month")
    description = lazy_gettext("How many certificates were issued, and how often any was verified.")
    period_of = lazy_gettext(
        "Certificates count on the day they were issued, verifications on their own day."
    )
    selections = (COURSE, RUN)
    order = ("-month",)
    is_on_overview = True
    overview_order = 30

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The month and its figures."""
        return [Column("month", lazy_gettext("Month"), "month"), ISSUED, REVOKED, VERIFIED]

    def statement(self, filters: Filters) -> Statement:
        """What happened, by month."""
        rows = _happenings(filters)
        month = month_column(rows.c.at, months_in(filters, rows.c.at), filters.time_zone).label(
            "month"
        )
        dated = select(rows, month).subquery("dated")
        return select(dated.c.month, *_measures(dated)).group_by(dated.c.month)

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The runs behind a month."""
        if column.name in ("month", "issued", "revoked", "verified"):
            month = date.fromisoformat(row["month"])
            return report_url(CertificatesByRun.name, filters.narrowed(month, last_day(month)))
        return None

    def figures(self, filters: Filters) -> Sequence[Figure]:
        """Issued and verified in the period."""
        rows = _happenings(filters)
        found = db.session.execute(select(*_measures(rows))).one()
        return [
            Figure(
                lazy_gettext("Certificates issued"),
                format_number(found.issued or 0),
                _("verified %(number)s times", number=format_number(found.verified or 0)),
                self.url(filters),
            )
        ]


class CertificatesByRun(Report):
    """How many certificates were issued and verified of each course run."""

    topic = Topic.LEARNING
    name = "certificates-by-run"
    label = lazy_gettext("Certificates by course run")
    description = lazy_gettext(
        "How many certificates of each course run were issued, and how often any was verified."
    )
    period_of = CertificatesByMonth.period_of
    selections = (COURSE, RUN)
    order = ("-starts_on", "course", "run_id")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The run and its figures."""
        return [
            Column("course", lazy_gettext("Course run")),
            Column("starts_on", lazy_gettext("Begins"), "date"),
            ISSUED,
            REVOKED,
            VERIFIED,
        ]

    def statement(self, filters: Filters) -> Statement:
        """What happened, by run."""
        rows = _happenings(filters)
        groups = select(rows.c.run_id, *_measures(rows)).group_by(rows.c.run_id).subquery("groups")
        return (
            select(groups, title_in(filters.language).label("course"), CourseRun.starts_on)
            .add_columns(CourseRun.course_id)
            .join(CourseRun, CourseRun.id == groups.c.run_id)
            .join(Course, Course.id == CourseRun.course_id)
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The certificates of the run."""
        if column.name in ("course", "issued", "revoked"):
            return url_for("certificates.of_run", run_id=row["run_id"])
        return None


REPORTS: list[Report] = [CertificatesByMonth(), CertificatesByRun()]
