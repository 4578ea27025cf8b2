"""Reports by mail, and links for funders."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.outbox import enqueue
from lms.courses.models import Course
from lms.recovery.models import FunderLink, FunderLook, ReportMail, Rhythm
from lms.recovery.queries.break_even import today
from lms.scholarships.models import Fund


def next_day(rhythm: str, after: date) -> date:
    """The next Monday, or the first day of the next month."""
    if rhythm == Rhythm.WEEKLY:
        return after + timedelta(days=7 - after.weekday())
    return (after.replace(day=28) + timedelta(days=4)).replace(day=1)


def ask_for_mail(user: User, report: str, values: Mapping[str, str], rhythm: Rhythm) -> ReportMail:
    """Have a report mailed to an administrator, again and again."""
    row = ReportMail(
        user_id=user.id,
        report=report,
        values=dict(values),
        rhythm=rhythm,
        next_on=next_day(rhythm, today()),
    )
    db.session.add(row)
    db.session.flush()
    return row


def stop_mail(row: ReportMail) -> None:
    """Mail it no more. Safe to repeat."""
    row.next_on = None
    db.session.flush()


def send_due_mails() -> int:
    """Enqueue each report whose day has come, once for that day; how many."""
    day = today()
    due = db.session.scalars(
        select(ReportMail).where(ReportMail.next_on <= day).order_by(ReportMail.id).limit(500)
    ).all()
    for row in due:
        enqueue("recovery.mail_report", mail_id=row.id)
        row.next_on = next_day(row.rhythm, day)
    db.session.flush()
    return len(due)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def share(
    title: str,
    tables: Sequence[str],
    course: Course | None,
    days: tuple[date, date],
    expires_on: date,
    actor_id: int,
    fund: Fund | None = None,
) -> tuple[FunderLink, str]:
    """Make a link for a funder; gives the secret too, which is kept nowhere."""
    token = secrets.token_urlsafe(32)
    link = FunderLink(
        token_hash=_hash(token),
        title=title,
        tables=list(tables),
        course_id=course.id if course else None,
        fund_id=fund.id if fund else None,
        first=days[0],
        last=days[1],
        expires_on=expires_on,
        made_by_id=actor_id,
    )
    db.session.add(link)
    db.session.flush()
    audit.record("recovery.share", link, actor_id, title=title, tables=list(tables))
    return link, token


def revoke(link: FunderLink, actor_id: int) -> None:
    """Take a link back. Safe to repeat."""
    if link.revoked_at is None:
        link.revoked_at = clock.now()
        audit.record("recovery.revoke", link, actor_id)
    db.session.flush()


def find_open(token: str) -> FunderLink:
    """The link of a secret. Raises NotFound when there is none, or no more."""
    link = db.session.scalar(select(FunderLink).where(FunderLink.token_hash == _hash(token)))
    if link is None or link.revoked_at is not None or link.expires_on < today():
        raise NotFound
    return link


def note_look(link: FunderLink) -> None:
    """Keep that somebody looked."""
    db.session.add(FunderLook(link_id=link.id))
    db.session.flush()
