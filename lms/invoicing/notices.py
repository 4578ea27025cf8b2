"""Messages about tax."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind

KINDS = [
    NotificationKind(
        name="invoicing.threshold",
        label=lazy_gettext("Sales near the sum from which tax is charged"),
        subject=lambda values: _(
            "%(seller)s has sold %(percent)s%% of what may be sold without tax",
            seller=values["seller"],
            percent=values["percent"],
        ),
        template="invoicing/mail/threshold.md",
        link=lambda values: absolute_url("invoicing.sellers"),
    ),
]
