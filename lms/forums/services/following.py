"""Who hears of what is new, and how far each person has read."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.forums import queries
from lms.forums.models import Discussion, Forum, ForumRead, ForumSubscription


def lock_person(user: User) -> None:
    """Let what one person does in forums happen one after the other: second clicks wait."""
    db.session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))


def follow(user: User, what: Forum | Discussion, *, is_on: bool) -> None:
    """Turn the messages about a forum or a discussion on or off. Safe to repeat."""
    lock_person(user)
    subscription = queries.find_subscription(user, what)
    if subscription is None:
        subscription = _subscription(user, what)
        db.session.add(subscription)
    subscription.is_on = is_on
    db.session.flush()


def follow_after_writing(user: User, discussion: Discussion) -> None:
    """Who writes in a discussion hears of it, unless they turned that off."""
    if queries.find_subscription(user, discussion) is None:
        db.session.add(_subscription(user, discussion))
        db.session.flush()


def _subscription(user: User, what: Forum | Discussion) -> ForumSubscription:
    if isinstance(what, Forum):
        return ForumSubscription(user_id=user.id, run_id=what.run.id, activity_id=what.activity.id)
    return ForumSubscription(user_id=user.id, discussion_id=what.id)


def mark_read(
    user: User, discussion: Discussion, up_to: int, seen: Collection[int] | None = None
) -> None:
    """Note how far the person has read. Safe to repeat; never goes back.

    up_to: the newest post when the page was made, so that nothing written since counts as read.
    seen: ids of the posts on the page; what is unread on other pages stays so, and what came after
    it as well. None: the whole discussion.
    """
    lock_person(user)
    read = queries.find_read(user, discussion)
    before = read.last_read_post_id if read else 0
    reached = min(up_to, queries.newest_post_id(discussion))
    if seen is not None:
        missed = queries.oldest_unread_elsewhere(discussion, user, before, seen)
        if missed is not None:
            reached = min(reached, missed - 1)
    if reached <= before:
        return
    if read is None:
        read = ForumRead(user_id=user.id, discussion_id=discussion.id)
        db.session.add(read)
    read.last_read_post_id = reached
    db.session.flush()
