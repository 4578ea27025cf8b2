"""Telling people what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.outbox import enqueue
from lms.notifications import queries
from lms.notifications.kinds import notification_kinds
from lms.notifications.messages import TEMPLATE_NAMES
from lms.notifications.models import MailChoice, Notice, NotificationPreference


def tell(user: User, kind: str, **values: Any) -> Notice | None:
    """Give the person a notice and send it on the channels of its kind, after commit.

    values: JSON, enough to write the message in any language. Nobody is told anything about a
    closed account. Raises KeyError when no plugin declared the kind, ValueError for a value with
    a name that templates know already.
    """
    _check_names(values)
    declared = notification_kinds[kind]
    if not user.is_active:
        return None
    notice = Notice(user_id=user.id, kind=kind, values=values)
    choice = queries.mail_choice(user.id, declared)
    notice.waits_for_digest = choice == MailChoice.DAILY and "email" in declared.channels
    db.session.add(notice)
    db.session.flush()
    enqueue("notifications.send", notice_id=notice.id)
    return notice


def tell_address(email: str, language: str, kind: str, **values: Any) -> None:
    """Mail a message to an address that is no confirmed account's, or not yet. Raises as `tell`."""
    _check_names(values)
    notification_kinds[kind]
    enqueue("notifications.mail", email=email, language=language, kind=kind, values=values)


def _check_names(values: Mapping[str, Any]) -> None:
    """Told to the caller: in the job that writes the message it would be too late."""
    if taken := TEMPLATE_NAMES & values.keys():
        raise ValueError(f"every message has these already: {', '.join(sorted(taken))}")


def mark_read(user_id: int, notice: Notice | None = None) -> None:
    """Mark one notice, or all of the person's, as read."""
    change = update(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    if notice is not None:
        change = change.where(Notice.id == notice.id)
    db.session.execute(
        change.values(read_at=clock.now()).execution_options(synchronize_session="fetch")
    )


def choose(user_id: int, choices: Mapping[str, MailChoice]) -> None:
    """Keep the person's choices, kind by kind; kinds that must arrive are left alone."""
    kept = {
        row.kind: row
        for row in db.session.scalars(
            select(NotificationPreference).where(NotificationPreference.user_id == user_id)
        )
    }
    for name, choice in choices.items():
        kind = notification_kinds.get(name)
        if kind is None or not kind.can_turn_off:
            continue
        if name in kept:
            kept[name].mail = choice
        else:
            db.session.add(NotificationPreference(user_id=user_id, kind=name, mail=choice))
    db.session.flush()
