"""What the notifications room adds to the house."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import lazy_gettext
from sqlalchemy import delete, select

from lms.accounts.permissions import Permission
from lms.core.db import db
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry
from lms.hookspecs import hookimpl
from lms.notifications import jobs as room_jobs
from lms.notifications.channels.base import NotificationChannel
from lms.notifications.channels.email import EmailChannel
from lms.notifications.models import Notice, NotificationPreference
from lms.notifications.views import bp


@hookimpl
def blueprints() -> list[Blueprint]:
    """Notices and preferences."""
    return [bp]


@hookimpl
def jobs() -> list[Job]:
    """Sending, and the daily digest."""
    return room_jobs.JOBS


@hookimpl
def notification_channels() -> list[NotificationChannel]:
    """Mail; the page itself needs no sending."""
    return [EmailChannel()]


@hookimpl
def permissions() -> list[Permission]:
    """Everybody reads their own notices."""
    return [
        Permission(
            "notifications.read",
            lazy_gettext("Read one's own notices"),
            lambda user, subject: user.id == subject.id,
            administrators=False,
        )
    ]


@hookimpl
def navigation() -> list[NavigationEntry]:
    """The account menu's entries."""
    return [
        NavigationEntry(
            "notices", lazy_gettext("Notices"), "notifications.list_notices", "account", 20
        ),
        NavigationEntry(
            "notification_preferences",
            lazy_gettext("What comes by mail"),
            "notifications.preferences",
            "account",
            40,
        ),
    ]


def _export(user_id: int) -> Any:
    notices = db.session.scalars(select(Notice).where(Notice.user_id == user_id))
    chosen = db.session.scalars(
        select(NotificationPreference).where(NotificationPreference.user_id == user_id)
    )
    return {
        "notices": [
            {"kind": n.kind, "values": n.values, "created_at": n.created_at.isoformat()}
            for n in notices
        ],
        "preferences": {row.kind: row.mail for row in chosen},
    }


def _erase(user_id: int) -> None:
    db.session.execute(delete(Notice).where(Notice.user_id == user_id))
    db.session.execute(
        delete(NotificationPreference).where(NotificationPreference.user_id == user_id)
    )


@hookimpl
def personal_data() -> list[PersonalData]:
    """Notices and choices of a person."""
    return [PersonalData("notifications", _export, _erase)]
