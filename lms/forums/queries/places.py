"""Forums and discussions: lists, and what is unread in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import (
    Activity,
    CourseRun,
    Module,
)
from lms.courses.queries.courses import course_of_run
from lms.forums.models import (
    KIND,
    Discussion,
    Forum,
    ForumRead,
    Post,
)

DISCUSSIONS = 50  # of a forum on one page


@dataclass(frozen=True)
class Unread:
    """What a person has not read of a discussion: how many posts, and the oldest of them."""

    count: int = 0
    first_id: int | None = None


def get_forum(run_id: int, slug: str) -> Forum:
    """The forum of a run, with course and module. Raises NotFound."""
    row = db.session.execute(
        select(CourseRun, Activity)
        .join(Activity, Activity.course_id == CourseRun.course_id)
        .where(
            CourseRun.id == run_id,
            Activity.slug == slug,
            Activity.kind == KIND,
            Activity.is_published,
        )
        .options(joinedload(CourseRun.course), joinedload(Activity.module))
    ).one_or_none()
    if row is None:
        raise NotFound
    run, activity = row
    return Forum(run, activity)


def list_forums(run: CourseRun) -> list[Forum]:
    """The published forums of a run, in the order of the course."""
    found = db.session.scalars(
        select(Activity)
        .join(Activity.module)
        .where(Activity.course_id == run.course_id, Activity.kind == KIND, Activity.is_published)
        .order_by(Module.position, Activity.position)
        .options(contains_eager(Activity.module))
    )
    return [Forum(run, activity) for activity in found]


def is_released(forum: Forum) -> bool:
    """Whether the forum's module is open in its run."""
    return forum.run.released_at(forum.activity.module) <= clock.now()


def is_over(run: CourseRun) -> bool:
    """Whether the run has ended: its learners write no more."""
    return run.ends_at < clock.now()


# made once: each page of a discussion asks
_DISCUSSION = (
    select(Discussion)
    .join(Discussion.activity)
    .where(
        Discussion.id == bindparam("discussion_id"),
        Discussion.run_id == bindparam("run_id"),
        Activity.is_published,
    )
    .options(
        contains_eager(Discussion.activity).defer(Activity.text).joinedload(Activity.module),
        joinedload(Discussion.run).options(course_of_run()),
    )
)


def get_discussion(run_id: int, discussion_id: int) -> Discussion:
    """A discussion of the run, with forum and course. Raises NotFound."""
    values = {"run_id": run_id, "discussion_id": discussion_id}
    discussion = db.session.scalar(_DISCUSSION, values)
    if discussion is None:
        raise NotFound
    return discussion


def is_new(user_id: Any, last_read_id: Any) -> ColumnElement[bool]:
    """Posts that a person has not seen, who has read up to `last_read_id` (None: nothing)."""
    return and_(
        Post.id > func.coalesce(last_read_id, 0),
        Post.author_id != user_id,
        Post.is_hidden.is_(False),
        Post.is_deleted.is_(False),
    )


def _is_unread(user: User) -> ColumnElement[bool]:
    """Posts (outer-joined with the person's ForumRead) that the person has not seen."""
    return is_new(user.id, ForumRead.last_read_post_id)


def _mark_of(user: User) -> ColumnElement[bool]:
    return and_(ForumRead.discussion_id == Post.discussion_id, ForumRead.user_id == user.id)


def _is_visible(user: User, is_moderator: bool) -> ColumnElement[bool] | None:
    if is_moderator:
        return None
    return or_(Discussion.is_hidden.is_(False), Discussion.author_id == user.id)


def list_discussions(
    forum: Forum, user: User, *, is_moderator: bool, unread_only: bool = False
) -> Select[Discussion]:
    """The discussions of a forum: pinned ones first, then those with the newest post."""
    statement = (
        select(Discussion)
        .where(Discussion.run_id == forum.run.id, Discussion.activity_id == forum.activity.id)
        .order_by(Discussion.is_pinned.desc(), Discussion.last_post_at.desc(), Discussion.id.desc())
        .options(joinedload(Discussion.author))
    )
    visible = _is_visible(user, is_moderator)
    if visible is not None:
        statement = statement.where(visible)
    if unread_only:
        statement = statement.where(
            exists(
                select(Post.id)
                .outerjoin(ForumRead, _mark_of(user))
                .where(Post.discussion_id == Discussion.id, _is_unread(user))
            )
        )
    return statement


def unread_by_discussion(user: User, discussion_ids: Collection[int]) -> dict[int, Unread]:
    """What the person has not read of each of these discussions; those with nothing are absent."""
    if not discussion_ids:
        return {}
    rows = db.session.execute(
        select(Post.discussion_id, func.count(), func.min(Post.id))
        .outerjoin(ForumRead, _mark_of(user))
        .where(Post.discussion_id.in_(discussion_ids), _is_unread(user))
        .group_by(Post.discussion_id)
    )
    return {discussion_id: Unread(count, first) for discussion_id, count, first in rows}


@dataclass(frozen=True)
class ForumCount:
    """How many discussions a forum has for a person, and how many posts they have not read."""

    discussions: int = 0
    unread: int = 0


def count_by_forum(run: CourseRun, user: User, *, is_moderator: bool) -> dict[int, ForumCount]:
    """Discussions and unread posts of each forum of a run, by activity id."""
    statement = (
        select(
            Discussion.activity_id,
            func.count(Discussion.id.distinct()),
            func.count(case((_is_unread(user), Post.id))),
        )
        .outerjoin(Post, Post.discussion_id == Discussion.id)
        .outerjoin(ForumRead, _mark_of(user))
        .where(Discussion.run_id == run.id)
        .group_by(Discussion.activity_id)
    )
    visible = _is_visible(user, is_moderator)
    if visible is not None:
        statement = statement.where(visible)
    return {
        activity_id: ForumCount(discussions, unread)
        for activity_id, discussions, unread in db.session.execute(statement)
    }


def list_targets(discussion: Discussion, limit: int = 200) -> list[Discussion]:
    """Other discussions of the same run, the newest first: where posts can be moved to."""
    return list(
        db.session.scalars(
            select(Discussion)
            .join(Discussion.activity)
            .where(
                Discussion.run_id == discussion.run_id,
                Discussion.id != discussion.id,
                Activity.is_published,
            )
            .order_by(Discussion.last_post_at.desc(), Discussion.id.desc())
            .limit(limit)
            .options(contains_eager(Discussion.activity))
        )
    )
