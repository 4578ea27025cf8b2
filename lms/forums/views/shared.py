"""What all pages of forums begin with, and how they name things."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from flask import get_template_attribute, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape

from lms.accounts.models import User
from lms.accounts.permissions import can, require, signed_in
from lms.core.db import db
from lms.core.fragments import find_kept, keep_fragment, reader_key
from lms.core.markdown import render_markdown
from lms.core.templating import time_element
from lms.courses.errors import NotReleased
from lms.courses.models import Enrolment
from lms.courses.queries import enrolments
from lms.forums import queries
from lms.forums.models import HEADING_SHIFT, Discussion, Forum, Post
from lms.forums.thread import Node
from lms.forums.views import bp

_MARKDOWN = re.compile(r"([\\`*_\[\]<>])")


@dataclass(frozen=True)
class Visit:
    """Who looks, and whether they moderate there."""

    user: User
    is_moderator: bool

    def enrolment(self, forum: Forum) -> Enrolment | None:
        """The visitor's own enrolment in the run, when they study there."""
        found = enrolments.find_enrolment(forum.run, self.user)
        return found if found is not None and found.may_study else None

    def may_write(self, where: Forum | Discussion) -> bool:
        """Whether there is a form to write in."""
        if self.is_moderator:
            return True
        if queries.is_over(where.run):
            return False
        return not (isinstance(where, Discussion) and (where.is_locked or where.is_hidden))


def enter(subject: Forum | Discussion | Post, permission: str = "forums.read") -> Visit:
    """Ask for the permission. Raises NotReleased for learners who come too early."""
    user = signed_in()
    is_moderator = can("forums.moderate", subject)
    forum = _forum_of(subject)
    if not is_moderator and not queries.is_released(forum) and can("courses.study", forum.run):
        raise NotReleased
    require(permission, subject)
    return Visit(user, is_moderator)


def _forum_of(subject: Forum | Discussion | Post) -> Forum:
    if isinstance(subject, Forum):
        return subject
    return subject.discussion.forum if isinstance(subject, Post) else subject.forum


@contextmanager
def undone_when_refused() -> Iterator[None]:
    """What a service began is undone when it raises, while the page with the form still comes."""
    with db.session.begin_nested():
        yield


def forum_url(forum: Forum) -> str:
    """The page with all discussions of a forum."""
    return url_for("forums.forum", run_id=forum.run.id, slug=forum.activity.slug)


def discussion_url(discussion: Discussion, page: int = 1, anchor: str | None = None) -> str:
    """A page of a discussion."""
    return url_for(
        "forums.discussion",
        run_id=discussion.run_id,
        discussion_id=discussion.id,
        page=page if page > 1 else None,
        _anchor=anchor,
    )


def post_place(post: Post) -> str:
    """The very place where a post stands."""
    return discussion_url(post.discussion, queries.page_of(post), f"post-{post.id}")


@dataclass(frozen=True)
class Place:
    """The page of a discussion that posts are drawn for; may_write: whether there is a form."""

    run_id: int
    discussion_id: int
    number: int
    may_write: bool
    is_moderator: bool
    language: str

    @property
    def url(self) -> str:
        """The discussion's first page."""
        return url_for("forums.discussion", run_id=self.run_id, discussion_id=self.discussion_id)


# stand-ins in the pattern of a post; U+0000 cannot stand in a text, and these ids are beyond all
_ID, _PARENT = 10**18 + 1, 10**18 + 2
_AUTHOR, _ABOVE, _TEXT, _CREATED, _EDITED = (
    f"\0{mark}\0" for mark in ("author", "above", "text", "created", "edited")
)


def draw_posts(nodes: Sequence[Node], place: Place) -> None:
    """Give each node what is drawn of it; texts are read of those that no reader has seen so far.

    What moderators see holds forms with their own token, so it is drawn for each of them.
    """
    draw = get_template_attribute("forums/_post.html", "post_content")
    if place.is_moderator:
        posts = queries.posts_by_id([node.post.id for node in nodes])
        for node in nodes:
            node.html = draw(node, posts[node.post.id], place)
        return
    page = f"{reader_key()} {place}"  # words keep their hash: it is asked for fifty times
    keys = {node.post.id: _post_key(page, node) for node in nodes}
    for node in nodes:
        node.html = find_kept(keys[node.post.id])
    missing = [node for node in nodes if node.html is None]
    texts = queries.texts_by_id([node.post.id for node in missing if node.post.is_shown])
    special = [n.post.id for n in missing if not n.post.is_shown or texts[n.post.id].has_files]
    posts = queries.posts_by_id(special)
    for node in missing:
        number = node.post.id
        if number in posts:
            node.html = keep_fragment(keys[number], draw, node, posts[number], place)
        else:
            node.html = keep_fragment(keys[number], _fill, page, draw, node, texts[number], place)


def _fill(
    page: str, draw: Callable[..., str], node: Node, text: queries.PostText, place: Place
) -> str:
    """A post without files that everybody may read: the pattern of all like it, filled in."""
    post = node.post
    marks = (node.is_unread, node.is_by_staff, node.is_own, node.says_to_whom)
    key = ("post", page, *marks, text.edited_at is not None, text.language)
    pattern: str = keep_fragment(key, _draw_pattern, draw, node, text, place)
    filled = str(pattern).replace(str(_ID), str(post.id)).replace(str(_PARENT), str(post.parent_id))
    filled = filled.replace(_AUTHOR, escape(author_name(post.author)))
    filled = filled.replace(_ABOVE, escape(author_name(post.parent_author)))
    filled = filled.replace(_CREATED, time_element(text.created_at))
    filled = filled.replace(_EDITED, time_element(text.edited_at))
    return filled.replace(_TEXT, post_html(text))


def _draw_pattern(
    draw: Callable[..., str], node: Node, text: queries.PostText, place: Place
) -> str:
    head = node.post._replace(
        id=_ID,
        parent_id=_PARENT,
        author=queries.Writer(_AUTHOR, None),
        parent_author=queries.Writer(_ABOVE, None),
    )
    pattern = {
        "id": _ID,
        "html": _TEXT,
        "language": text.language,
        "created_at": _CREATED,
        "edited_at": _EDITED if text.edited_at else None,
        "is_shown": True,
        "is_hidden": False,
        "is_deleted": False,
        "attachments": (),
    }
    return draw(replace(node, post=head, replies=[]), pattern, place)


@bp.app_template_filter("post_html")
def post_html(post: Post | queries.PostText | Mapping[str, str]) -> Markup:
    """What somebody wrote, as it was drawn when it was written, else drawn now."""
    if isinstance(post, Mapping):
        return Markup(post["html"])  # noqa: S704 - the mark in a pattern
    if isinstance(post, queries.PostText) and post.html is not None:
        return Markup(post.html)  # noqa: S704 - sanitised when it was written
    return render_markdown(post.text, heading_shift=HEADING_SHIFT)


@bp.app_template_filter("post_time")
def post_time(value: datetime | str | None) -> Markup | str:
    """An instant of a post; in a pattern the mark for one."""
    return value if isinstance(value, str) else time_element(value)


def _post_key(page: str, node: Node) -> Hashable:
    """All that a post shows to learners, itself but not its replies."""
    post = node.post
    marks = (node.is_unread, node.is_by_staff, node.is_own, node.is_readable)
    above = post.parent_author if node.says_to_whom else None
    return page, post.id, post.version, *marks, *post.author, above


@bp.app_template_filter("author_name")
def author_name(user: User | queries.Writer) -> str:
    """The name of somebody who wrote; people who closed their account have none."""
    return user.name if user.closed_at is None else str(_("Former participant"))


@bp.app_template_filter("markdown_escape")
def markdown_escape(text: str) -> str:
    """What somebody typed, so that it stays plain text on one line of a Markdown message."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))
