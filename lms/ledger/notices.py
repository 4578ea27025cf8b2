"""Messages about the ledger."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind

KINDS = [
    NotificationKind(
        name="ledger.unexplained",
        label=lazy_gettext("Money that is not explained"),
        subject=lambda values: lazy_gettext("The ledger needs you"),
        template="ledger/mail/unexplained.md",
        link=lambda values: absolute_url("ledger.balances"),
    ),
]
