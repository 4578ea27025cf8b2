"""Messages about scholarships."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.notifications.kinds import NotificationKind, leads_to

_OWN = leads_to("scholarships.application", application_uuid="application")
_ADMIN = leads_to("scholarships.admin_application", application_uuid="application")

KINDS = [
    NotificationKind(
        name="scholarships.asked",
        label=lazy_gettext("Applications for scholarships"),
        subject=lambda values: _("Somebody applies for a scholarship"),
        template="scholarships/mail/asked.md",
        link=_ADMIN,
    ),
    NotificationKind(
        name="scholarships.awarded",
        label=lazy_gettext("A scholarship is awarded to you"),
        subject=lambda values: _("You have a scholarship"),
        template="scholarships/mail/awarded.md",
        link=_OWN,
        can_turn_off=False,
    ),
    NotificationKind(
        name="scholarships.declined",
        label=lazy_gettext("A scholarship is not awarded to you"),
        subject=lambda values: _("Your application for a scholarship: our decision"),
        template="scholarships/mail/declined.md",
        link=_OWN,
        can_turn_off=False,
    ),
    NotificationKind(
        name="scholarships.taken_back",
        label=lazy_gettext("A scholarship is taken back"),
        subject=lambda values: _("Your scholarship was taken back"),
        template="scholarships/mail/taken_back.md",
        link=_OWN,
        can_turn_off=False,
    ),
    NotificationKind(
        name="scholarships.expired",
        label=lazy_gettext("A scholarship or an application is over"),
        subject=lambda values: (
            _("Your scholarship has expired")
            if values["was_awarded"]
            else _("Your application for a scholarship is over")
        ),
        template="scholarships/mail/expired.md",
        link=_OWN,
        can_turn_off=False,
    ),
]
