"""Messages to partners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind


def _agreement_url(values: Mapping[str, Any]) -> str:
    return absolute_url("partners.agreement", agreement_uuid=values["agreement"])


def _statement_url(values: Mapping[str, Any]) -> str:
    return absolute_url("partners.statement", statement_uuid=values["statement"])


def _order_url(values: Mapping[str, Any]) -> str:
    return absolute_url("payments.show_order", order_uuid=values["order"])


KINDS = [
    NotificationKind(
        name="partners.how_to_pay",
        label=lazy_gettext("How to pay a partner"),
        subject=lambda values: _("How to pay for %(course)s", course=in_language(values["course"])),
        template="partners/mail/how_to_pay.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="partners.refund_to_send",
        label=lazy_gettext("Refunds to send"),
        subject=lambda values: _(
            "Please send back money for order %(number)s", number=values["number"]
        ),
        template="partners/mail/refund_to_send.md",
        link=lambda values: absolute_url("partners.collections"),
    ),
    NotificationKind(
        name="partners.statement",
        label=lazy_gettext("Statements of shared income"),
        subject=lambda values: _("Your statement for %(month)s", month=values["month"]),
        template="partners/mail/statement.md",
        link=_statement_url,
    ),
    NotificationKind(
        name="partners.to_sign",
        label=lazy_gettext("Agreements to accept"),
        subject=lambda values: _(
            "An agreement about %(course)s waits for you", course=in_language(values["course"])
        ),
        template="partners/mail/to_sign.md",
        link=_agreement_url,
    ),
]
