"""Sending notices after commit, and the daily digest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import css_inline
from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import delete, select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db, transaction
from lms.core.language import speaking
from lms.core.mail import deliver, make_mail
from lms.core.outbox import Job, enqueue
from lms.core.settings import settings
from lms.notifications.channels.base import notification_channels
from lms.notifications.kinds import notification_kinds
from lms.notifications.messages import write_message
from lms.notifications.models import Notice

DIGEST_HOUR = 7  # in the recipient's time zone
KEPT_FOR = timedelta(days=180)


def send(notice_id: int) -> None:
    """Send one notice on each channel of its kind."""
    notice = db.session.get(Notice, notice_id)
    if notice is None or notice.kind not in notification_kinds or not notice.user.is_active:
        return
    kind = notification_kinds[notice.kind]
    for name in kind.channels:
        channel = notification_channels.get(name)
        if channel is not None and channel.wants(notice):
            channel.send(notice)
            if name == "email":
                with transaction():
                    sent = db.session.get_one(Notice, notice_id)
                    sent.mailed_at = clock.now()


def mail(email: str, language: str, kind: str, values: dict[str, Any]) -> None:
    """Mail a message to an address without an account."""
    message = write_message(notification_kinds[kind], values, language, None)
    deliver(make_mail(email, message.subject, message.text, message.html, language=language))


def find_digests() -> None:
    """Enqueue the digest of everybody for whom it is seven in the morning."""
    now = clock.now()
    users = db.session.scalars(
        select(User)
        .where(User.id.in_(select(Notice.user_id).where(Notice.waits_for_digest)))
        .order_by(User.id)
    )
    for user in users:
        if now.astimezone(ZoneInfo(user.time_zone)).hour == DIGEST_HOUR:
            enqueue("notifications.digest", user_id=user.id)


def digest(user_id: int) -> None:
    """Mail one person all that waited since the last digest."""
    user = db.session.get(User, user_id)
    waiting = db.session.scalars(
        select(Notice)
        .where(Notice.user_id == user_id, Notice.waits_for_digest)
        .order_by(Notice.created_at)
        .limit(200)
    ).all()
    ids = [notice.id for notice in waiting]
    if not ids or user is None:
        return
    if user.is_active:
        with speaking(user.language):
            items = []
            for notice in waiting:
                kind = notification_kinds.get(notice.kind)
                if kind is not None:
                    items.append((kind.subject(notice.values), kind.link(notice.values)))
            subject = _("%(count)d new messages", count=len(items))
            page: dict[str, Any] = {
                "items": items,
                "user": user,
                "subject": subject,
                "language": user.language,
                "home": settings().base_url,
            }
            text = render_template("notifications/mail/digest.txt", **page)
            html = css_inline.inline(render_template("notifications/mail/digest.html", **page))
        deliver(make_mail(user.address, subject, text, html, language=user.language))
    with transaction():
        for notice in db.session.scalars(select(Notice).where(Notice.id.in_(ids))):
            notice.waits_for_digest = False
            notice.mailed_at = clock.now()


def forget_old() -> None:
    """Remove notices after half a year."""
    db.session.execute(delete(Notice).where(Notice.created_at < clock.now() - KEPT_FOR))


JOBS = [
    Job("notifications.send", send, writes=False),
    Job("notifications.mail", mail, writes=False),
    Job("notifications.find_digests", find_digests, every="5 * * * *"),
    Job("notifications.digest", digest, writes=False),
    Job("notifications.forget_old", forget_old, every="17 3 * * *"),
]
