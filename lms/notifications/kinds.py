"""Kinds of message that people can receive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel.speaklater import LazyString

from lms.core.registry import Registered
from lms.core.web import absolute_url


@dataclass(frozen=True)
class NotificationKind:
    """One kind of message.

    name: "room.what". label: how the person sees it in their preferences. subject: values -> the
    title of the notice and subject of the mail; called in the recipient's language, so it uses
    gettext inside. template: Jinja template of the body in Markdown, "<room>/mail/<what>.md"; it
    gets the values, `recipient` and `link`. link: values -> absolute address to open, or None.
    can_turn_off: False for messages that must arrive (receipts, password reset). channels: names
    of the channels used unless the person chose otherwise. digest: may wait for a daily digest
    when the person prefers that.
    """

    name: str
    label: str | LazyString
    subject: Callable[[Mapping[str, Any]], str]
    template: str
    link: Callable[[Mapping[str, Any]], str | None] = lambda values: None
    can_turn_off: bool = True
    channels: tuple[str, ...] = ("page", "email")
    digest: bool = False


def leads_to(endpoint: str, **arguments: str) -> Callable[[Mapping[str, Any]], str]:
    """The link of a kind: an endpoint, and which value of the notice each argument takes."""
    return lambda values: absolute_url(
        endpoint, **{name: values[value] for name, value in arguments.items()}
    )


notification_kinds: Registered[NotificationKind] = Registered(
    "notification_kinds", NotificationKind
)
