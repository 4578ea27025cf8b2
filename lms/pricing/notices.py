"""Messages about prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind


def _subject(values: Mapping[str, Any]) -> str:
    texts = {
        "price": _("Somebody asks for a price"),
        "residence": _("Somebody shows where they live"),
        "gaps": _("Course runs without a price for some people"),
    }
    return str(texts[values["what"]])


def _page(values: Mapping[str, Any]) -> str:
    is_proof = values["what"] == "residence"
    return absolute_url("pricing.admin_proofs" if is_proof else "pricing.admin_requests")


KINDS = [
    NotificationKind(
        name="pricing.attention",
        label=lazy_gettext("Prices that need an administrator"),
        subject=_subject,
        template="pricing/mail/attention.md",
        link=_page,
    ),
    NotificationKind(
        name="pricing.residence_decided",
        label=lazy_gettext("What became of your proof of residence"),
        subject=lambda values: _("Where you live: our decision"),
        template="pricing/mail/residence_decided.md",
        link=lambda values: absolute_url("pricing.residence"),
        can_turn_off=False,
    ),
]
