"""Posts: threads, single posts, search."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, case, exists, func, select
from sqlalchemy.orm import aliased, contains_eager, defer, joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.markdown import EDITION
from lms.core.text import search_words
from lms.courses.models import (
    Activity,
    CourseRun,
    CourseStaff,
)
from lms.forums.models import (
    Discussion,
    Forum,
    Post,
    PostAttachment,
)
from lms.forums.queries.places import is_new

PAGE_SIZE = 50  # posts of a discussion on one page


def get_post(run_id: int, post_id: int) -> Post:
    """A post of the run, with discussion, forum, course and author. Raises NotFound."""
    post = db.session.scalar(
        select(Post)
        .join(Post.discussion)
        .join(Discussion.activity)
        .where(Post.id == post_id, Discussion.run_id == run_id, Activity.is_published)
        .options(
            contains_eager(Post.discussion).options(
                contains_eager(Discussion.activity).joinedload(Activity.module),
                joinedload(Discussion.run).joinedload(CourseRun.course),
            ),
            joinedload(Post.author),
        )
    )
    if post is None:
        raise NotFound
    return post


def get_attachment(run_id: int, attachment_id: int) -> PostAttachment:
    """An attachment of a post of the run. Raises NotFound."""
    attachment = db.session.scalar(
        select(PostAttachment)
        .join(PostAttachment.post)
        .join(Post.discussion)
        .where(PostAttachment.id == attachment_id, Discussion.run_id == run_id)
        .options(
            contains_eager(PostAttachment.post)
            .contains_eager(Post.discussion)
            .options(
                joinedload(Discussion.activity).joinedload(Activity.module),
                joinedload(Discussion.run).joinedload(CourseRun.course),
            )
        )
    )
    if attachment is None:
        raise NotFound
    return attachment


class Writer(NamedTuple):
    """Who wrote a post; `closed_at` of somebody who has closed the account."""

    name: str
    closed_at: datetime | None


class PostHead(NamedTuple):
    """What a thread needs of a post, without its text. `version` grows with each change."""

    id: int
    version: int
    author_id: int
    parent_id: int | None
    depth: int
    is_hidden: bool
    is_deleted: bool
    author: Writer
    replies_to_opening: bool
    parent_author: Writer
    is_by_staff: bool

    @property
    def is_shown(self) -> bool:
        """Whether everybody may read it: neither deleted nor hidden."""
        return not (self.is_deleted or self.is_hidden)


_parent, _author, _parent_author = aliased(Post), aliased(User), aliased(User)


_HEADS = (
    select(
        Post.id,
        Post.version,
        Post.author_id,
        Post.parent_id,
        Post.depth,
        Post.is_hidden,
        Post.is_deleted,
        _author.name,
        _author.closed_at,
        _parent.parent_id,
        _parent_author.name,
        _parent_author.closed_at,
        exists().where(
            CourseStaff.course_id == bindparam("course_id"),
            CourseStaff.user_id == Post.author_id,
        ),
    )
    .join(_author, _author.id == Post.author_id)
    .outerjoin(_parent, _parent.id == Post.parent_id)
    .outerjoin(_parent_author, _parent_author.id == _parent.author_id)
    .where(Post.discussion_id == bindparam("discussion_id"))
    .order_by(Post.path)
    .limit(PAGE_SIZE)
    .offset(bindparam("offset"))
)


def list_heads(discussion: Discussion, page: int) -> list[PostHead]:
    """The posts on one page of a discussion in the order of its thread, without their texts."""
    values = {
        "discussion_id": discussion.id,
        "course_id": discussion.run.course_id,
        "offset": (page - 1) * PAGE_SIZE,
    }
    return [
        PostHead(
            *row[:7], Writer(row[7], row[8]), row[9] is None, Writer(row[10], row[11]), row[12]
        )
        for row in db.session.execute(_HEADS, values)
    ]


class PostText(NamedTuple):
    """What somebody wrote. html: None where it is not kept, or by another edition of Markdown."""

    id: int
    text: str
    html: str | None
    language: str
    created_at: datetime
    edited_at: datetime | None
    has_files: bool


_IS_KEPT = Post.html.is_not(None) & (Post.html_edition == EDITION)
_TEXTS = select(
    Post.id,
    case((_IS_KEPT, ""), else_=Post.text),
    case((_IS_KEPT, Post.html), else_=None),
    Post.language,
    Post.created_at,
    Post.edited_at,
    exists().where(PostAttachment.post_id == Post.id),
).where(Post.id.in_(bindparam("ids", expanding=True)))


def texts_by_id(ids: Collection[int]) -> dict[int, PostText]:
    """What was written in posts, by their ids; `text` is empty where `html` is kept."""
    if not ids:
        return {}
    rows = db.session.execute(_TEXTS, {"ids": list(ids)})
    return {row[0]: PostText(*row) for row in rows}


def posts_by_id(ids: Collection[int]) -> dict[int, Post]:
    """Posts with all that is shown of them, by their ids."""
    if not ids:
        return {}
    found = db.session.scalars(
        select(Post)
        .where(Post.id.in_(ids))
        .options(defer(Post.search_text), selectinload(Post.attachments))
    )
    return {post.id: post for post in found}


def page_ids(discussion: Discussion, page: int) -> list[int]:
    """The ids of the posts on one page of a discussion."""
    return list(
        db.session.scalars(
            select(Post.id)
            .where(Post.discussion_id == discussion.id)
            .order_by(Post.path)
            .limit(PAGE_SIZE)
            .offset((page - 1) * PAGE_SIZE)
        )
    )


def page_of(post: Post) -> int:
    """On which page of its discussion a post stands."""
    before = db.session.scalar(
        select(func.count())
        .select_from(Post)
        .where(Post.discussion_id == post.discussion_id, Post.path < post.path)
    )
    return (before or 0) // PAGE_SIZE + 1


def get_opening(discussion: Discussion) -> Post:
    """The post that opens a discussion. Raises NotFound."""
    post = db.session.scalar(
        select(Post).where(Post.discussion_id == discussion.id, Post.parent_id.is_(None))
    )
    if post is None:
        raise NotFound
    return post


def find_post(discussion: Discussion, post_id: int) -> Post | None:
    """A post of this very discussion."""
    return db.session.scalar(
        select(Post).where(Post.id == post_id, Post.discussion_id == discussion.id)
    )


def find_same_reply(
    author: User, discussion: Discussion, parent: Post, text: str, since: datetime
) -> Post | None:
    """A reply with the same words that the person sent since then: a second click."""
    return db.session.scalar(
        select(Post).where(
            Post.author_id == author.id,
            Post.created_at >= since,
            Post.discussion_id == discussion.id,
            Post.parent_id == parent.id,
            Post.text == text,
            Post.is_deleted.is_(False),
        )
    )


def find_same_discussion(
    author: User, forum: Forum, title: str, text: str, since: datetime
) -> Discussion | None:
    """A discussion with the same words that the person started since then: a second click."""
    return db.session.scalar(
        select(Discussion)
        .join(Post, Post.discussion_id == Discussion.id)
        .where(
            Post.author_id == author.id,
            Post.created_at >= since,
            Post.parent_id.is_(None),
            Post.text == text,
            Discussion.title == title,
            Discussion.run_id == forum.run.id,
            Discussion.activity_id == forum.activity.id,
        )
    )


def count_posts(author_id: int, forum: Forum) -> int:
    """How many posts of the person stand in the forum, deleted and hidden ones left out."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Post)
            .join(Post.discussion)
            .where(
                Post.author_id == author_id,
                Post.is_deleted.is_(False),
                Post.is_hidden.is_(False),
                Discussion.run_id == forum.run.id,
                Discussion.activity_id == forum.activity.id,
            )
        )
        or 0
    )


def subtree(post: Post) -> Sequence[Post]:
    """The post and all that replies to it or to one of its replies, in the order of the thread."""
    below = select(Post.id).where(Post.id == post.id).cte("below", recursive=True)
    below = below.union_all(select(Post.id).join(below, Post.parent_id == below.c.id))
    return db.session.scalars(
        select(Post).where(Post.id.in_(select(below.c.id))).order_by(Post.id)
    ).all()


def oldest_unread_elsewhere(
    discussion: Discussion, user: User, after: int, seen: Collection[int]
) -> int | None:
    """The oldest post after `after` that the person has not seen and that is not among `seen`."""
    statement = select(func.min(Post.id)).where(
        Post.discussion_id == discussion.id, is_new(user.id, after)
    )
    if seen:
        statement = statement.where(Post.id.not_in(seen))
    return db.session.scalar(statement)


def newest_post_id(discussion: Discussion) -> int:
    """The id of the newest post of a discussion, 0 when there is none."""
    return (
        db.session.scalar(select(func.max(Post.id)).where(Post.discussion_id == discussion.id)) or 0
    )


def search(forums: Sequence[Forum], query: str) -> Select[Post] | None:
    """Posts in these forums of one run that hold all words, newest first; None without words."""
    words = search_words(query)
    if not words or not forums:
        return None
    statement = (
        select(Post)
        .join(Post.discussion)
        .where(
            Discussion.run_id == forums[0].run.id,
            Discussion.activity_id.in_([forum.activity.id for forum in forums]),
            Discussion.is_hidden.is_(False),
            Post.is_hidden.is_(False),
            Post.is_deleted.is_(False),
        )
        .order_by(Post.created_at.desc(), Post.id.desc())
        .options(contains_eager(Post.discussion), joinedload(Post.author))
    )
    for word in words:
        statement = statement.where(Post.search_text.contains(word, autoescape=True))
    return statement


def posts_of(user_id: int) -> Sequence[Post]:
    """All posts of a person, with their history and where they stand, for the download."""
    statement: Select[Any] = (
        select(Post)
        .where(Post.author_id == user_id)
        .order_by(Post.created_at, Post.id)
        .options(
            joinedload(Post.discussion),
            selectinload(Post.revisions),
            selectinload(Post.attachments),
        )
    )
    found: Sequence[Post] = db.session.scalars(statement).all()
    return found


def post_by_id(post_id: int) -> Post | None:
    """A post with its discussion, for work after commit; None when it is gone."""
    return db.session.scalar(
        select(Post)
        .where(Post.id == post_id)
        .options(
            joinedload(Post.author),
            joinedload(Post.parent),
            joinedload(Post.discussion).options(
                joinedload(Discussion.activity),
                joinedload(Discussion.run).joinedload(CourseRun.course),
            ),
        )
    )
