"""Messages about forwarding, for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind


def _target_url(values: Mapping[str, Any]) -> str:
    return absolute_url("xapi_admin.show_target", target_id=values["target"])


def _refused_url(values: Mapping[str, Any]) -> str:
    return absolute_url("xapi_admin.list_refused", target_id=values["target"])


KINDS = [
    NotificationKind(
        name="xapi.forwarding_down",
        label=lazy_gettext("Record stores that get no statements"),
        subject=lambda values: _("%(name)s gets no statements", name=values["name"]),
        template="xapi/mail/forwarding_down.md",
        link=_target_url,
    ),
    NotificationKind(
        name="xapi.forwarding_refused",
        label=lazy_gettext("Statements that another record store refused"),
        subject=lambda values: _("%(name)s refused statements", name=values["name"]),
        template="xapi/mail/forwarding_refused.md",
        link=_refused_url,
    ),
    NotificationKind(
        name="xapi.forwarding_well",
        label=lazy_gettext("Record stores that get statements again"),
        subject=lambda values: _("%(name)s is well again", name=values["name"]),
        template="xapi/mail/forwarding_well.md",
        link=_target_url,
    ),
]
