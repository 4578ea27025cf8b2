"""Reads of forums: discussions, posts, what is unread, who follows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, defer, joinedload, selectinload

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.text import search_words
from lms.courses.models import (
    STUDIES,
    Activity,
    Course,
    CourseRun,
    CourseStaff,
    Enrolment,
    Module,
    course_partners,
)
from lms.directory.models import OrganisationRole, OrganisationRoleName
from lms.forums.models import (
    KIND,
    Discussion,
    Forum,
    ForumRead,
    ForumSubscription,
    Post,
    PostAttachment,
)

PAGE_SIZE = 50  # posts of a discussion on one page
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
        joinedload(Discussion.run)
        .joinedload(CourseRun.course)
        .defer(Course.description)
        .defer(Course.audience)
        .defer(Course.requirements)
        .defer(Course.faq)
        .defer(Course.search_text),
    )
)


def get_discussion(run_id: int, discussion_id: int) -> Discussion:
    """A discussion of the run, with forum and course. Raises NotFound."""
    values = {"run_id": run_id, "discussion_id": discussion_id}
    discussion = db.session.scalar(_DISCUSSION, values)
    if discussion is None:
        raise NotFound
    return discussion


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


def _is_unread(user: User) -> ColumnElement[bool]:
    """Posts (outer-joined with the person's ForumRead) that the person has not seen."""
    return and_(
        Post.id > func.coalesce(ForumRead.last_read_post_id, 0),
        Post.author_id != user.id,
        Post.is_hidden.is_(False),
        Post.is_deleted.is_(False),
    )


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
    values = {"discussion_id": discussion.id, "offset": (page - 1) * PAGE_SIZE}
    return [
        PostHead(*row[:7], Writer(row[7], row[8]), row[9] is None, Writer(row[10], row[11]))
        for row in db.session.execute(_HEADS, values)
    ]


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
        Post.discussion_id == discussion.id,
        Post.id > after,
        Post.author_id != user.id,
        Post.is_hidden.is_(False),
        Post.is_deleted.is_(False),
    )
    if seen:
        statement = statement.where(Post.id.not_in(seen))
    return db.session.scalar(statement)


def newest_post_id(discussion: Discussion) -> int:
    """The id of the newest post of a discussion, 0 when there is none."""
    return (
        db.session.scalar(select(func.max(Post.id)).where(Post.discussion_id == discussion.id)) or 0
    )


@dataclass(frozen=True)
class Standing:
    """How a person stands to a discussion. newest_id: of its newest post, 0 when there is none."""

    last_read_id: int
    is_following: bool
    newest_id: int
    unread: Unread | None


_last_read = (
    select(ForumRead.last_read_post_id)
    .where(
        ForumRead.user_id == bindparam("user_id"),
        ForumRead.discussion_id == bindparam("discussion_id"),
    )
    .scalar_subquery()
)
_is_new = and_(
    Post.id > func.coalesce(_last_read, 0),
    Post.author_id != bindparam("user_id"),
    Post.is_hidden.is_(False),
    Post.is_deleted.is_(False),
)
_STANDING = select(
    _last_read,
    select(ForumSubscription.is_on)
    .where(
        ForumSubscription.user_id == bindparam("user_id"),
        ForumSubscription.discussion_id == bindparam("discussion_id"),
    )
    .scalar_subquery(),
    func.max(Post.id),
    func.count(case((_is_new, Post.id))),
    func.min(case((_is_new, Post.id))),
).where(Post.discussion_id == bindparam("discussion_id"))


def standing(user: User, discussion: Discussion) -> Standing:
    """How far the person has read, whether they follow, how far one can read, and what is new."""
    read, is_following, newest, count, first = db.session.execute(
        _STANDING, {"user_id": user.id, "discussion_id": discussion.id}
    ).one()
    unread = Unread(count, first) if count else None
    return Standing(read or 0, bool(is_following), newest or 0, unread)


def find_read(user: User, discussion: Discussion) -> ForumRead | None:
    """How far the person has read."""
    return db.session.scalar(
        select(ForumRead).where(
            ForumRead.user_id == user.id, ForumRead.discussion_id == discussion.id
        )
    )


def find_subscription(user: User, what: Forum | Discussion) -> ForumSubscription | None:
    """The person's wish to hear of a forum or a discussion, on or off."""
    statement = select(ForumSubscription).where(ForumSubscription.user_id == user.id)
    if isinstance(what, Forum):
        statement = statement.where(
            ForumSubscription.run_id == what.run.id,
            ForumSubscription.activity_id == what.activity.id,
        )
    else:
        statement = statement.where(ForumSubscription.discussion_id == what.id)
    return db.session.scalar(statement)


def is_following(user: User, what: Forum | Discussion) -> bool:
    """Whether the person hears of what is new there."""
    subscription = find_subscription(user, what)
    return subscription is not None and subscription.is_on


def staff_ids(course_id: int) -> set[int]:
    """Ids of the people who teach the course."""
    return set(
        db.session.scalars(select(CourseStaff.user_id).where(CourseStaff.course_id == course_id))
    )


def list_followers(post: Post) -> list[int]:
    """Ids of the people to tell of a post: who follow and may still read it, but its author."""
    discussion = post.discussion
    follows = select(ForumSubscription.user_id).where(ForumSubscription.is_on)
    if post.is_opening:
        follows = follows.where(
            ForumSubscription.run_id == discussion.run_id,
            ForumSubscription.activity_id == discussion.activity_id,
        )
    else:
        follows = follows.where(ForumSubscription.discussion_id == discussion.id)
    return list(
        db.session.scalars(
            select(User.id)
            .where(
                User.id.in_(follows),
                User.id != post.author_id,
                User.closed_at.is_(None),
                User.deactivated_at.is_(None),
                _may_read(discussion.run),
            )
            .order_by(User.id)
        )
    )


def _may_read(run: CourseRun) -> ColumnElement[bool]:
    """People of the run: its learners, those who teach or manage the course, administrators."""
    course = run.course
    learners = select(Enrolment.user_id).where(
        Enrolment.run_id == run.id, Enrolment.state.in_(STUDIES)
    )
    staff = select(CourseStaff.user_id).where(CourseStaff.course_id == course.id)
    partners = select(course_partners.c.organisation_id).where(
        course_partners.c.course_id == course.id
    )
    managers = select(OrganisationRole.user_id).where(
        OrganisationRole.role == OrganisationRoleName.MANAGER,
        or_(
            OrganisationRole.organisation_id == course.owner_id,
            OrganisationRole.organisation_id.in_(partners),
        ),
    )
    return or_(
        User.is_administrator,
        User.id.in_(learners),
        User.id.in_(staff),
        User.id.in_(managers),
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


def find_user(user_id: int) -> User | None:
    """A person by id."""
    return db.session.get(User, user_id)


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
