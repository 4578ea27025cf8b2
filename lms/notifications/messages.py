"""Writing a message: subject, plain text and HTML, in the recipient's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import css_inline
from flask import render_template
from itsdangerous import BadSignature, URLSafeSerializer

from lms.accounts.models import User
from lms.core.language import speaking
from lms.core.markdown import render_markdown
from lms.core.settings import settings
from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind


@dataclass(frozen=True)
class Message:
    """What the person reads."""

    subject: str
    text: str  # Markdown, readable as plain text
    html: str
    link: str | None


TEMPLATE_NAMES = frozenset({"recipient", "link", "subject"})  # beside a message's own values


def write_message(
    kind: NotificationKind,
    values: Mapping[str, Any],
    language: str,
    recipient: User | None,
    unsubscribe: str | None = None,
) -> Message:
    """Make the message from its template."""
    with speaking(language):
        link = kind.link(values)
        subject = kind.subject(values)
        body = render_template(
            kind.template, **values, recipient=recipient, link=link, subject=subject
        ).strip()
        home = settings().base_url
        text = render_template(
            "notifications/mail/layout.txt",
            body=body,
            recipient=recipient,
            link=link,
            unsubscribe=unsubscribe,
            home=home,
        )
        html = render_template(
            "notifications/mail/layout.html",
            subject=subject,
            body=render_markdown(body),
            recipient=recipient,
            link=link,
            language=language,
            unsubscribe=unsubscribe,
            home=home,
        )
    return Message(subject, text, css_inline.inline(html), link)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret(), salt="unsubscribe")


def unsubscribe_url(user: User, kind: str) -> str:
    """Address that turns this kind of mail off without signing in."""
    return absolute_url("notifications.unsubscribe", token=_serializer().dumps([user.id, kind]))


def read_unsubscribe(token: str) -> tuple[int, str] | None:
    """User id and kind of an unsubscribe token, None when it was not made here."""
    try:
        user_id, kind = _serializer().loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    return int(user_id), str(kind)
