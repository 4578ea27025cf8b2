"""What people hear from forums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind


def _link(values: Mapping[str, Any]) -> str:
    if values.get("post_id"):
        return absolute_url("forums.post", run_id=values["run_id"], post_id=values["post_id"])
    return absolute_url(
        "forums.discussion", run_id=values["run_id"], discussion_id=values["discussion_id"]
    )


def _discussion(values: Mapping[str, Any]) -> str:
    return str(_("New discussion: %(title)s", title=values["title"]))


def _reply(values: Mapping[str, Any]) -> str:
    return str(_("New reply in “%(title)s”", title=values["title"]))


def _reply_to_me(values: Mapping[str, Any]) -> str:
    return str(
        _("%(name)s replied to you in “%(title)s”", name=values["author"], title=values["title"])
    )


def _moderated(values: Mapping[str, Any]) -> str:
    title = values["title"]
    if values["act"] == "hidden":
        return str(_("Hidden by an instructor: your post in “%(title)s”", title=title))
    if values["act"] == "shown":
        return str(_("Visible again: your post in “%(title)s”", title=title))
    return str(_("Moved by an instructor: your post, now in “%(title)s”", title=title))


KINDS = [
    NotificationKind(
        "forums.reply_to_me",
        lazy_gettext("Forum: somebody replies to me"),
        _reply_to_me,
        "forums/mail/reply.md",
        _link,
    ),
    NotificationKind(
        "forums.reply",
        lazy_gettext("Forum: a new reply in a discussion I follow"),
        _reply,
        "forums/mail/reply.md",
        _link,
        digest=True,
    ),
    NotificationKind(
        "forums.discussion",
        lazy_gettext("Forum: a new discussion in a forum I follow"),
        _discussion,
        "forums/mail/discussion.md",
        _link,
        digest=True,
    ),
    NotificationKind(
        "forums.moderated",
        lazy_gettext("Forum: an instructor hides or moves my post"),
        _moderated,
        "forums/mail/moderated.md",
        _link,
    ),
]
