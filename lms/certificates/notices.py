"""What the certificates tell people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind, leads_to


def _title(values: Mapping[str, Any]) -> str:
    return in_language(values["title"])


KINDS = [
    NotificationKind(
        "certificates.issued",
        lazy_gettext("Your certificates"),
        subject=lambda values: _("Your certificate: %(title)s", title=_title(values)),
        template="certificates/mail/issued.md",
        link=leads_to("certificates.my_certificates"),
        can_turn_off=False,
    ),
    NotificationKind(
        "certificates.reissued",
        lazy_gettext("Corrections of your certificates"),
        subject=lambda values: _("Your corrected certificate: %(title)s", title=_title(values)),
        template="certificates/mail/reissued.md",
        link=leads_to("certificates.my_certificates"),
        can_turn_off=False,
    ),
    NotificationKind(
        "certificates.revoked",
        lazy_gettext("Revocation of your certificates"),
        subject=lambda values: _("A certificate was revoked: %(title)s", title=_title(values)),
        template="certificates/mail/revoked.md",
        link=leads_to("certificates.verify_page", code="code"),
        can_turn_off=False,
    ),
    NotificationKind(
        "certificates.connected",
        lazy_gettext("Apps that are connected to your certificates"),
        subject=lambda values: _("Connected to your certificates: %(host)s", host=values["host"]),
        template="certificates/mail/connected.md",
        link=leads_to("badge_connections.connected_apps"),
        can_turn_off=False,
    ),
    NotificationKind(
        "certificates.in_wallet",
        lazy_gettext("Wallets that have fetched a certificate of yours"),
        subject=lambda values: _("In a wallet: %(title)s", title=_title(values)),
        template="certificates/mail/in_wallet.md",
        link=leads_to("certificates.my_certificates"),
        can_turn_off=False,
    ),
    NotificationKind(
        "certificates.name_refused",
        lazy_gettext("Names that cannot be printed on a certificate"),
        subject=lambda values: _(
            "Your certificate waits for your name: %(title)s", title=_title(values)
        ),
        template="certificates/mail/name_refused.md",
        link=leads_to("accounts.profile"),
        can_turn_off=False,
    ),
    NotificationKind(
        "certificates.text_refused",
        lazy_gettext("Certificates that wait because of a text"),
        subject=lambda values: _("No certificates for the course: %(title)s", title=_title(values)),
        template="certificates/mail/text_refused.md",
        link=lambda values: absolute_url("courses.teach_course", slug=values["slug"]),
    ),
    NotificationKind(
        "certificates.not_drawn",
        lazy_gettext("Certificates whose PDF cannot be made"),
        subject=lambda values: _("No PDF for certificate %(code)s", code=values["code"]),
        template="certificates/mail/not_drawn.md",
        link=leads_to("certificates.manage", credential_id="credential_id"),
    ),
]
