"""Messages about decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind


def _course(values: Mapping[str, Any]) -> str:
    return in_language(values["course"])


KINDS = [
    NotificationKind(
        name="recovery.decision_due",
        label=lazy_gettext("Course runs to be decided on"),
        subject=lambda values: _("Decide whether “%(course)s” takes place", course=_course(values)),
        template="recovery/mail/decision_due.md",
        link=lambda values: absolute_url("recovery.show_run", run_id=values["run_id"]),
    ),
    NotificationKind(
        name="recovery.run_moved",
        label=lazy_gettext("New dates of your course"),
        subject=lambda values: _("New dates: %(course)s", course=_course(values)),
        template="recovery/mail/run_moved.md",
        link=lambda values: absolute_url("recovery.show_offer", offer_id=values["offer_id"]),
        can_turn_off=False,
    ),
]
