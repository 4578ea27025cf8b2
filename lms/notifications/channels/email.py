"""Notices by mail."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.mail import deliver, make_mail
from lms.notifications import queries
from lms.notifications.channels.base import NotificationChannel
from lms.notifications.kinds import notification_kinds
from lms.notifications.messages import unsubscribe_url, write_message
from lms.notifications.models import MailChoice, Notice


class EmailChannel(NotificationChannel):
    """One mail for each notice, unless the person wants it daily or not at all."""

    name = "email"
    label = lazy_gettext("E-mail")

    def wants(self, notice: Notice) -> bool:
        """Whether it is to be mailed now."""
        kind = notification_kinds[notice.kind]
        return (
            notice.mailed_at is None
            and queries.mail_choice(notice.user_id, kind) == MailChoice.AT_ONCE
        )

    def send(self, notice: Notice) -> None:
        """Mail the notice."""
        kind = notification_kinds[notice.kind]
        user = notice.user
        stop = unsubscribe_url(user, kind.name) if kind.can_turn_off else None
        message = write_message(kind, notice.values, user.language, user, stop)
        headers = {}
        if stop:
            headers = {
                "List-Unsubscribe": f"<{stop}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        deliver(
            make_mail(
                user.address,
                message.subject,
                message.text,
                message.html,
                language=user.language,
                headers=headers,
            )
        )
