"""Telling the followers of a forum what was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, or_, select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.markdown import plain_text
from lms.core.outbox import enqueue
from lms.forums import queries
from lms.forums.models import Discussion, ForumSubscription, Post
from lms.notifications.models import Notice
from lms.notifications.services import tell

AT_ONCE = 100  # people in one transaction
EXCERPT = 300  # signs
KINDS = ("forums.discussion", "forums.reply", "forums.reply_to_me")


def tell_followers(post_id: int) -> None:
    """Divide the followers of a post into groups that one transaction can tell."""
    post = queries.post_by_id(post_id)
    if post is None or not _is_to_be_told(post):
        return
    people = queries.list_followers(post)
    for first in range(0, len(people), AT_ONCE):
        enqueue("forums.tell_some", post_id=post.id, user_ids=people[first : first + AT_ONCE])


def tell_some(post_id: int, user_ids: Sequence[int]) -> None:
    """Tell these people of a post, unless it was hidden or deleted since."""
    post = queries.post_by_id(post_id)
    if post is None or not _is_to_be_told(post):
        return
    values = values_of(post)
    for user in db.session.scalars(select(User).where(User.id.in_(user_ids)).order_by(User.id)):
        if post.is_opening:
            kind = "forums.discussion"
        elif post.parent is not None and post.parent.author_id == user.id:
            kind = "forums.reply_to_me"
        else:
            kind = "forums.reply"
        tell(user, kind, **values)


def _is_to_be_told(post: Post) -> bool:
    return post.is_shown and not post.discussion.is_hidden


def place_of(discussion: Discussion) -> dict[str, Any]:
    """Where something happened, for the text of a message."""
    return {
        "run_id": discussion.run_id,
        "discussion_id": discussion.id,
        "title": discussion.title,
        "forum": discussion.activity.title,
        "course": discussion.run.course.title,
    }


def values_of(post: Post) -> dict[str, Any]:
    """What a message about a post needs, in any language."""
    return {
        **place_of(post.discussion),
        "post_id": post.id,
        "author": post.author.name,
        "author_id": post.author_id,
        "excerpt": plain_text(post.text, EXCERPT),
    }


def forget_notices(what: Post | Discussion) -> None:
    """Take back the notices about what was hidden or deleted, also from the digest."""
    discussion = what.discussion if isinstance(what, Post) else what
    key = "post_id" if isinstance(what, Post) else "discussion_id"
    told = select(ForumSubscription.user_id).where(
        or_(
            ForumSubscription.discussion_id == discussion.id,
            (ForumSubscription.run_id == discussion.run_id)
            & (ForumSubscription.activity_id == discussion.activity_id),
        )
    )
    db.session.execute(
        delete(Notice)
        .where(
            Notice.user_id.in_(told),
            Notice.created_at >= what.created_at,
            Notice.kind.in_(KINDS),
            Notice.values[key].as_integer() == what.id,
        )
        .execution_options(synchronize_session=False)
    )


def forget_notices_about(author_id: int) -> None:
    """Take the name of somebody who closed their account out of other people's notices."""
    db.session.execute(
        delete(Notice)
        .where(Notice.kind.in_(KINDS), Notice.values["author_id"].as_integer() == author_id)
        .execution_options(synchronize_session=False)
    )
