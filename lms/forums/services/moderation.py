"""What instructors do: pin, lock, hide, move. Each act stands in the audit log."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from lms.accounts.models import User
from lms.core.audit import record
from lms.core.db import db
from lms.courses.models import Activity
from lms.forums import queries
from lms.forums.errors import PostGone, WrongPlace
from lms.forums.models import KIND, Discussion, ForumSubscription, Post
from lms.forums.services.notices import forget_notices, place_of
from lms.notifications.services import tell


def set_pinned(discussion: Discussion, is_pinned: bool, actor: User) -> None:
    """Keep a discussion at the top of its list, or no longer. Safe to repeat."""
    if discussion.is_pinned == is_pinned:
        return
    discussion.is_pinned = is_pinned
    record("forums.pin" if is_pinned else "forums.unpin", discussion, actor.id)


def set_locked(discussion: Discussion, is_locked: bool, actor: User) -> None:
    """End a discussion for learners, or open it again. Safe to repeat."""
    if discussion.is_locked == is_locked:
        return
    discussion.is_locked = is_locked
    record("forums.lock" if is_locked else "forums.unlock", discussion, actor.id)


def hide(what: Discussion | Post, reason: str, actor: User) -> None:
    """Hide a post, or a discussion as a whole, and tell its author why. Safe to repeat.

    Raises PostGone for a deleted post.
    """
    if isinstance(what, Post) and what.is_deleted:
        raise PostGone
    if what.is_hidden:
        return
    what.is_hidden, what.hidden_reason = True, reason
    forget_notices(what)
    record("forums.hide", what, actor.id)
    _tell_author(what, "hidden", actor, reason)


def show_again(what: Discussion | Post, actor: User) -> None:
    """Show what was hidden, and tell its author. Safe to repeat."""
    if not what.is_hidden:
        return
    what.is_hidden, what.hidden_reason = False, None
    record("forums.show", what, actor.id)
    _tell_author(what, "shown", actor)


def _tell_author(what: Discussion | Post, act: str, actor: User, reason: str = "") -> None:
    if what.author_id == actor.id:
        return
    discussion = what.discussion if isinstance(what, Post) else what
    tell(
        what.author,
        "forums.moderated",
        **place_of(discussion),
        post_id=what.id if isinstance(what, Post) else None,
        act=act,
        reason=reason,
    )


def move_discussion(discussion: Discussion, activity: Activity, actor: User) -> None:
    """Move a discussion to another forum of the same run. Raises WrongPlace."""
    if activity.course_id != discussion.run.course_id or activity.kind != KIND:
        raise WrongPlace
    if activity.id == discussion.activity_id:
        return
    record("forums.move", discussion, actor.id, activity=activity.slug)
    discussion.activity = activity
    db.session.flush()
    _tell_author(discussion, "moved", actor)


def move_post(post: Post, target: Discussion, actor: User) -> None:
    """Move a post with its replies to the end of another discussion of the same run.

    When the post opens its discussion, nothing is left there and the discussion goes; who followed
    it follows the other one. Raises WrongPlace.
    """
    source = post.discussion
    if target.run_id != source.run_id or target.id == source.id:
        raise WrongPlace
    _lock(source, target)
    moved = queries.subtree(post)
    opening = queries.get_opening(target)
    record("forums.move", post, actor.id, discussion=target.id, posts=len(moved))
    places: dict[int, Post] = {}
    for one in moved:  # parents have smaller ids than their replies
        one.discussion = target
        parent = opening if one.id == post.id else places[one.parent_id or 0]
        one.parent = parent
        one.path, one.depth = one.place_below(parent)
        places[one.id] = one
    db.session.flush()
    left = db.session.scalar(
        select(func.count()).select_from(Post).where(Post.discussion_id == source.id)
    )
    if left:
        _count_again(source)
    else:
        _follow_instead(source, target)
        db.session.execute(delete(Discussion).where(Discussion.id == source.id))
    _count_again(target)
    _tell_author(post, "moved", actor)


def _lock(*discussions: Discussion) -> None:
    """Let nobody reply in these discussions before the move is done."""
    ids = [discussion.id for discussion in discussions]
    db.session.execute(
        select(Discussion.id)
        .where(Discussion.id.in_(ids))
        .order_by(Discussion.id)
        .with_for_update()
    )


def _follow_instead(source: Discussion, target: Discussion) -> None:
    have_chosen = select(ForumSubscription.user_id).where(
        ForumSubscription.discussion_id == target.id
    )
    db.session.execute(
        update(ForumSubscription)
        .where(
            ForumSubscription.discussion_id == source.id,
            ForumSubscription.user_id.not_in(have_chosen),
        )
        .values(discussion_id=target.id)
        .execution_options(synchronize_session=False)
    )


def _count_again(discussion: Discussion) -> None:
    """Bring the discussion's count and newest time up to date, past its version."""
    posts = select(Post).where(Post.discussion_id == discussion.id).subquery()
    db.session.execute(
        update(Discussion)
        .where(Discussion.id == discussion.id)
        .values(
            post_count=select(func.count()).select_from(posts).scalar_subquery(),
            last_post_at=select(func.max(posts.c.created_at)).scalar_subquery(),
        )
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(discussion, ["post_count", "last_post_at"])
