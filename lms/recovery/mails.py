"""A report as a mail: its filters, its file, the link that stops it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from io import BytesIO

from flask import render_template, url_for
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from lms.accounts.models import User
from lms.accounts.permissions import may
from lms.core import clock
from lms.core.db import db
from lms.core.language import speaking
from lms.core.mail import deliver, make_mail
from lms.core.settings import settings
from lms.core.web import absolute_url
from lms.recovery.models import ReportMail
from lms.reports.base import Filters, Report, reports
from lms.reports.export import write_csv
from lms.reports.periods import PRESETS, preset_days


def kept_values(report: Report, typed: Mapping[str, str], read: Filters) -> dict[str, str]:
    """What to keep of an address: choices, and the preset rather than today's days."""
    values = {name: value for name, value in read.values.items() if value}
    if report.has_period:
        values["period"] = read.period if read.period in PRESETS else "12-months"
        if read.period == "days":
            values |= {name: typed[name] for name in ("first", "last") if typed.get(name)}
            values["period"] = "days"
    return values


def label_of(row: ReportMail) -> str:
    """The report's name; its code when its room is switched off."""
    report = reports.get(row.report)
    return str(report.label) if report else row.report


def url_of(row: ReportMail) -> str:
    """The report with its filters."""
    return url_for("reports.show_report", name=row.report, **row.values)  # type: ignore[arg-type]


def filters_of(row: ReportMail, user: User, zone: str) -> Filters:
    """The filters on the day of the mail."""
    values = dict(row.values)
    period = values.pop("period", "all")
    typed = {name: values.pop(name, "") for name in ("first", "last")}
    found = Filters(user, zone, user.language, values=values)
    if period == "days":
        first, last = (
            date.fromisoformat(text) if text else None for text in (typed["first"], typed["last"])
        )
        return found.narrowed(first, last)
    first, last = preset_days(period, clock.local_date(clock.now(), zone))
    return found.narrowed(first, last)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret(), salt="report-mail")


def read_stop(token: str) -> ReportMail | None:
    """The mail of a stop link, None when it was not made here."""
    try:
        mail_id = _serializer().loads(token)
    except BadSignature:
        return None
    return db.session.get(ReportMail, mail_id) if isinstance(mail_id, int) else None


def send(row: ReportMail) -> bool:
    """Mail the report now; whether it was: not to who may not read it any more."""
    report, user = reports.get(row.report), row.user
    if report is None or not user.is_active or not may(user, report.permission):
        return False
    zone = user.time_zone or settings().default_time_zone
    file = BytesIO()
    with speaking(user.language):
        write_csv(report, filters_of(row, user, zone), file)
        values = {
            "label": report.label,
            "url": absolute_url("reports.show_report", name=row.report, **row.values),
            "stop": absolute_url("recovery.stop_mail", token=_serializer().dumps(row.id)),
        }
        subject = _("Report: %(name)s", name=report.label)
        text = render_template("recovery/mail/report.txt", **values)
    day = clock.local_date(clock.now(), zone)
    deliver(
        make_mail(
            user.email,
            subject,
            text,
            language=user.language,
            headers={"List-Unsubscribe": f"<{values['stop']}>"},
            attachments=[(f"{report.name}-{day.isoformat()}.csv", "text/csv", file.getvalue())],
        )
    )
    return True
