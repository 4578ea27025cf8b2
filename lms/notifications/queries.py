"""Reads of notices and preferences."""

from __future__ import annotations

from sqlalchemy import Select, bindparam, func, select

from lms.core.db import db
from lms.core.errors import NotFound
from lms.notifications.kinds import NotificationKind, notification_kinds
from lms.notifications.models import MailChoice, Notice, NotificationPreference


def list_notices(user_id: int) -> Select[Notice]:
    """A person's notices, newest first."""
    return (
        select(Notice)
        .where(Notice.user_id == user_id, Notice.kind.in_(_page_kinds()))
        .order_by(Notice.created_at.desc(), Notice.id.desc())
    )


def _page_kinds() -> list[str]:
    return [kind.name for kind in notification_kinds.values() if "page" in kind.channels]


# made once: each page of a signed-in person asks. The kinds are told apart here: a list of them all
# would be put into the statement anew each time
_notices = Notice.__table__.c
_UNREAD = (
    select(_notices.kind, func.count())
    .where(_notices.user_id == bindparam("user_id"), _notices.read_at.is_(None))
    .group_by(_notices.kind)
)


def count_unread(user_id: int) -> int:
    """How many notices the person has not opened."""
    rows = db.session.execute(_UNREAD, {"user_id": user_id}).all()
    if not rows:
        return 0
    shown = set(_page_kinds())
    return sum(count for kind, count in rows if kind in shown)


def get_notice(notice_id: int, user_id: int) -> Notice:
    """The person's own notice. Raises NotFound."""
    notice = db.session.get(Notice, notice_id)
    if notice is None or notice.user_id != user_id or notice.kind not in notification_kinds:
        raise NotFound
    return notice


def mail_choice(user_id: int, kind: NotificationKind) -> MailChoice:
    """When this kind goes to the person by mail."""
    if not kind.can_turn_off:
        return MailChoice.AT_ONCE
    found = db.session.scalar(
        select(NotificationPreference.mail).where(
            NotificationPreference.user_id == user_id, NotificationPreference.kind == kind.name
        )
    )
    if found is not None:
        return MailChoice(found)
    return MailChoice.DAILY if kind.digest else MailChoice.AT_ONCE


def mail_choices(user_id: int) -> dict[str, MailChoice]:
    """The person's choices for all kinds that can be turned off."""
    chosen = dict(
        db.session.execute(
            select(NotificationPreference.kind, NotificationPreference.mail).where(
                NotificationPreference.user_id == user_id
            )
        ).all()
    )
    return {
        kind.name: MailChoice(
            chosen.get(kind.name, MailChoice.DAILY if kind.digest else MailChoice.AT_ONCE)
        )
        for kind in notification_kinds.values()
        if kind.can_turn_off and "email" in kind.channels
    }
