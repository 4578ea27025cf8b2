"""How people stand to forums and discussions: what they read and follow."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select

from lms.accounts.models import User
from lms.core.db import db
from lms.courses.models import (
    STUDIES,
    CourseRun,
    CourseStaff,
    Enrolment,
    course_partners,
)
from lms.directory.models import OrganisationRole, OrganisationRoleName
from lms.forums.models import (
    Discussion,
    Forum,
    ForumRead,
    ForumSubscription,
    Post,
)
from lms.forums.queries.places import Unread, is_new


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


_is_new = is_new(bindparam("user_id"), _last_read)
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


def find_user(user_id: int) -> User | None:
    """A person by id."""
    return db.session.get(User, user_id)
