"""What the room tells people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.text import in_language
from lms.notifications.kinds import NotificationKind, leads_to


def _name(values: Mapping[str, Any]) -> str:
    return in_language(values["association"])


def _title(values: Mapping[str, Any]) -> str:
    return in_language(values["title"])


KINDS = [
    NotificationKind(
        "recognition.credited",
        lazy_gettext("Hours that an association credits to you"),
        subject=lambda values: _("%(name)s credits hours to you", name=_name(values)),
        template="recognition/mail/credited.md",
        link=leads_to("recognition.my_hours"),
        digest=True,
    ),
    NotificationKind(
        "recognition.claim_decided",
        lazy_gettext("Decisions on hours that you asked for"),
        subject=lambda values: _("%(name)s has decided on your hours", name=_name(values)),
        template="recognition/mail/claim_decided.md",
        link=leads_to("recognition.my_hours"),
    ),
    NotificationKind(
        "recognition.audited",
        lazy_gettext("Audits of your hours"),
        subject=lambda values: _("%(name)s audits your hours", name=_name(values)),
        template="recognition/mail/audited.md",
        link=leads_to("recognition.my_hours"),
        can_turn_off=False,
    ),
    NotificationKind(
        "recognition.claim_made",
        lazy_gettext("Members who ask for hours"),
        subject=lambda values: _("A member asks %(name)s for hours", name=_name(values)),
        template="recognition/mail/claim_made.md",
        link=leads_to("recognition.requests", slug="slug"),
        digest=True,
    ),
    NotificationKind(
        "recognition.match_needed",
        lazy_gettext("People whose membership you confirm"),
        subject=lambda values: _("Is this person a member of %(name)s?", name=_name(values)),
        template="recognition/mail/match_needed.md",
        link=leads_to("recognition.requests", slug="slug"),
        digest=True,
    ),
    NotificationKind(
        "recognition.prior_learning_decided",
        lazy_gettext("Decisions on your prior learning"),
        subject=lambda values: _(
            "Your request about prior learning: %(title)s", title=_title(values)
        ),
        template="recognition/mail/prior_learning_decided.md",
        link=leads_to("recognition.show_prior_learning", identifier="portfolio"),
        can_turn_off=False,
    ),
    NotificationKind(
        "recognition.prior_learning_assess",
        lazy_gettext("Requests for prior learning that you assess"),
        subject=lambda values: _(
            "Please decide about prior learning: %(title)s", title=_title(values)
        ),
        template="recognition/mail/prior_learning_assess.md",
        link=leads_to("recognition.decide_prior_learning", identifier="portfolio"),
        can_turn_off=False,
    ),
    NotificationKind(
        "recognition.prior_learning_waits",
        lazy_gettext("Requests for prior learning in your courses"),
        subject=lambda values: _(
            "Prior learning, a request waits: %(title)s", title=_title(values)
        ),
        template="recognition/mail/prior_learning_waits.md",
        link=leads_to("recognition.course_requests", slug="slug"),
    ),
    NotificationKind(
        "recognition.evidence_seen",
        lazy_gettext("Looks at the evidence of your certificates"),
        subject=lambda values: _(
            "%(recipient)s has looked at your evidence", recipient=values["whom"]
        ),
        template="recognition/mail/evidence_seen.md",
        link=leads_to("recognition.evidence", code="code"),
    ),
]
