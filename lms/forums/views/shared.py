"""What all pages of forums begin with, and how they name things."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flask import get_template_attribute, url_for
from flask_babel import gettext as _

from lms.accounts.models import User
from lms.accounts.permissions import can, require, signed_in
from lms.core.db import db
from lms.core.fragments import find_kept, keep_fragment, reader_key
from lms.courses.errors import NotReleased
from lms.courses.models import Enrolment
from lms.courses.queries import enrolments
from lms.forums import queries
from lms.forums.models import Discussion, Forum, Post
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


def draw_posts(nodes: Sequence[Node], place: Place) -> None:
    """Give each node what is drawn of it; texts are read of those that no reader has seen so far.

    What moderators see holds forms with their own token, so it is drawn for each of them.
    """
    draw = get_template_attribute("forums/_post.html", "post_content")
    page = f"{reader_key()} {place}"  # words keep their hash: it is asked for fifty times
    keys = {} if place.is_moderator else {n.post.id: _post_key(page, n) for n in nodes}
    kept = {number: find_kept(key) for number, key in keys.items()}
    missing = [node.post.id for node in nodes if kept.get(node.post.id) is None]
    posts = queries.posts_by_id(missing)
    for node in nodes:
        number = node.post.id
        if number not in posts:
            node.html = kept[number]
        elif place.is_moderator:
            node.html = draw(node, posts[number], place)
        else:
            node.html = keep_fragment(keys[number], draw, node, posts[number], place)


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
