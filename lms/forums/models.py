"""Discussions and posts, who follows them, and how far each person has read.

A forum is an activity of the kind "forum" in one course run: `Forum` names the pair, so every run
starts with empty forums.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.markdown import EDITION, render_for_all
from lms.core.models import StoredFile
from lms.courses.models import Activity, CourseRun

KIND = "forum"  # of Activity
MAX_TITLE = 200  # signs
MAX_TEXT = 20_000  # signs
MAX_FILES = 3  # a post
HEADING_SHIFT = 2  # headings of posts stand below the page's own
DEEPEST = 3  # levels of replies that are shown as levels; deeper ones follow at the third
_STEP = 10  # signs of one step of a path


@dataclass(frozen=True)
class Forum:
    """A forum: an activity in one run."""

    run: CourseRun
    activity: Activity


@dataclass(frozen=True)
class ForumRules:
    """The settings of a forum, in the shape of `Activity.settings`."""

    minimum_posts: int = 1  # that complete the activity when its rule is "posted"

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ForumRules:
        """The rules with what is given; the rest by default."""
        return cls(minimum_posts=settings.get("minimum_posts") or 1)


class Discussion(Model):
    """A titled thread of posts in a forum. Its first post opens it.

    `post_count` and `last_post_at` count every place, also of deleted and hidden posts. They are
    changed past the version, so that two people can reply at the same time.
    """

    __tablename__ = "discussions"
    __table_args__ = (
        Index("ix_discussions_forum", "run_id", "activity_id", "is_pinned", "last_post_at", "id"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id", ondelete="CASCADE"))
    activity_id: Mapped[int] = mapped_column(
        ForeignKey("activities.id", ondelete="CASCADE"), index=True
    )
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str]
    language: Mapped[str]
    is_pinned: Mapped[bool] = mapped_column(default=False)
    is_locked: Mapped[bool] = mapped_column(default=False)
    is_hidden: Mapped[bool] = mapped_column(default=False)
    hidden_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_post_at: Mapped[datetime] = mapped_column(default=clock.now)
    post_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column()

    run: Mapped[CourseRun] = relationship()
    activity: Mapped[Activity] = relationship()
    author: Mapped[User] = relationship()

    __mapper_args__ = {"version_id_col": version}

    @property
    def forum(self) -> Forum:
        """Where it stands."""
        return Forum(self.run, self.activity)

    @property
    def reply_count(self) -> int:
        """How many posts there are but the first."""
        return max(0, self.post_count - 1)


class Post(Model):
    """What one person wrote. Posts of a discussion in the order of `path` are its thread.

    `parent` is the post it replies to. The path is made of the ids of the posts above and its own,
    each with the same number of digits; below the third level a reply takes its place beside the
    post it replies to.
    """

    __tablename__ = "posts"
    __table_args__ = (
        Index("ix_posts_discussion_id_path", "discussion_id", "path"),
        Index("ix_posts_discussion_id_id", "discussion_id", "id"),
        Index("ix_posts_author_id_created_at", "author_id", "created_at"),
    )

    id: Mapped[PrimaryKey]
    discussion_id: Mapped[int] = mapped_column(ForeignKey("discussions.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("posts.id", ondelete="CASCADE"), index=True
    )
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]  # Markdown
    html: Mapped[str | None] = mapped_column(deferred=True)  # of the text; None: not for all alike
    html_edition: Mapped[str | None] = mapped_column(deferred=True)  # of the Markdown that drew it
    language: Mapped[str]
    search_text: Mapped[str] = mapped_column(default="")  # folded words, of the title as well
    depth: Mapped[int] = mapped_column(default=0)  # 0: opens the discussion
    path: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    edited_at: Mapped[datetime | None]
    is_hidden: Mapped[bool] = mapped_column(default=False)
    hidden_reason: Mapped[str | None]
    is_deleted: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column()

    discussion: Mapped[Discussion] = relationship()
    parent: Mapped[Post | None] = relationship(remote_side="Post.id")
    author: Mapped[User] = relationship()
    revisions: Mapped[list[PostRevision]] = relationship(
        back_populates="post", cascade="all, delete-orphan", order_by="PostRevision.id"
    )
    attachments: Mapped[list[PostAttachment]] = relationship(
        back_populates="post", cascade="all, delete-orphan", order_by="PostAttachment.id"
    )

    __mapper_args__ = {"version_id_col": version}

    @validates("text")
    def _draw_text(self, name: str, text: str) -> str:
        """Whoever writes draws: else each server process would, for its first reader."""
        self.html, self.html_edition = render_for_all(text, heading_shift=HEADING_SHIFT), EDITION
        return text

    @property
    def is_opening(self) -> bool:
        """Whether it opens its discussion."""
        return self.parent_id is None

    @property
    def is_shown(self) -> bool:
        """Whether everybody may read it: neither deleted nor hidden."""
        return not (self.is_deleted or self.is_hidden)

    def place_below(self, parent: Post | None) -> tuple[str, int]:
        """The path and depth that this post has as a reply to `parent`."""
        step = f"{self.id:0{_STEP}d}"
        if parent is None:
            return step, 0
        depth = min(parent.depth + 1, DEEPEST)
        return parent.path[: depth * _STEP] + step, depth


class PostRevision(Model):
    """An earlier text of a post, replaced at `replaced_at`."""

    __tablename__ = "post_revisions"

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    title: Mapped[str | None]  # of the discussion, for posts that open one
    text: Mapped[str]
    replaced_at: Mapped[datetime] = mapped_column(default=clock.now)
    post: Mapped[Post] = relationship(back_populates="revisions")


class PostAttachment(Model):
    """A file that goes with a post."""

    __tablename__ = "post_attachments"

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"), index=True)
    post: Mapped[Post] = relationship(back_populates="attachments")
    file: Mapped[StoredFile] = relationship(lazy="joined", innerjoin=True)


class ForumSubscription(Model):
    """A person hears of new discussions in a forum, or of new posts in a discussion.

    `is_on` false keeps the wish to hear no more, so that writing does not turn it on again.
    """

    __tablename__ = "forum_subscriptions"
    __table_args__ = (
        UniqueConstraint("user_id", "discussion_id"),
        UniqueConstraint("user_id", "run_id", "activity_id"),
        Index("ix_forum_subscriptions_forum", "run_id", "activity_id"),
        CheckConstraint(
            "(discussion_id IS NULL AND run_id IS NOT NULL AND activity_id IS NOT NULL) OR"
            " (discussion_id IS NOT NULL AND run_id IS NULL AND activity_id IS NULL)",
            name="forum_or_discussion",
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("course_runs.id", ondelete="CASCADE"))
    activity_id: Mapped[int | None] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    discussion_id: Mapped[int | None] = mapped_column(
        ForeignKey("discussions.id", ondelete="CASCADE"), index=True
    )
    is_on: Mapped[bool] = mapped_column(default=True)


class ForumRead(Model):
    """How far a person has read a discussion: every post up to `last_read_post_id` was seen."""

    __tablename__ = "forum_reads"
    __table_args__ = (UniqueConstraint("user_id", "discussion_id"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    discussion_id: Mapped[int] = mapped_column(
        ForeignKey("discussions.id", ondelete="CASCADE"), index=True
    )
    last_read_post_id: Mapped[int] = mapped_column(BigInt, default=0)
