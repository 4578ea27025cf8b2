"""Writing: start a discussion, reply, edit, delete."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm.attributes import flag_modified

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.files import ATTACHMENTS, keep_file
from lms.core.markdown import plain_text
from lms.core.outbox import enqueue
from lms.core.text import fold
from lms.courses.models import Enrolment
from lms.courses.services import progress
from lms.forums import queries
from lms.forums.errors import (
    DiscussionLocked,
    ForumClosed,
    PostChanged,
    PostGone,
    TooManyFiles,
)
from lms.forums.events import DiscussionStarted, PostWritten
from lms.forums.models import (
    MAX_FILES,
    MAX_TEXT,
    Discussion,
    Forum,
    ForumRules,
    Post,
    PostAttachment,
    PostRevision,
)
from lms.forums.services.following import follow_after_writing, lock_person
from lms.forums.services.notices import forget_notices

SAME_CLICK = timedelta(seconds=30)  # the same words again within this time are one post


@dataclass(frozen=True)
class Upload:
    """A file that somebody chose for a post."""

    name: str
    content: bytes


def check_open(where: Forum | Discussion, *, is_moderator: bool) -> None:
    """Whether one can write there now; instructors always can.

    Raises ForumClosed, DiscussionLocked or PostGone.
    """
    if is_moderator:
        return
    if queries.is_over(where.run):
        raise ForumClosed
    if isinstance(where, Discussion):
        if where.is_hidden:
            raise PostGone
        if where.is_locked:
            raise DiscussionLocked


def start_discussion(
    author: User,
    forum: Forum,
    enrolment: Enrolment | None,
    *,
    title: str,
    text: str,
    language: str,
    uploads: Sequence[Upload] = (),
    is_moderator: bool = False,
) -> Discussion:
    """Start a discussion with its first post; a second click finds the first one's.

    enrolment: the author's in the run, None for those who teach. Raises ForumClosed, NotReleased,
    TooManyFiles or UploadRefused.
    """
    check_open(forum, is_moderator=is_moderator)
    lock_person(author)
    same = queries.find_same_discussion(author, forum, title, text, clock.now() - SAME_CLICK)
    if same is not None:
        return same
    discussion = Discussion(
        run=forum.run, activity=forum.activity, author=author, title=title, language=language
    )
    db.session.add(discussion)
    post = Post(discussion=discussion, author=author, text=text, language=language)
    _keep(post, None, uploads, enrolment)
    emit(DiscussionStarted(discussion))
    _announce(post, enrolment)
    return discussion


def reply(
    author: User,
    parent: Post,
    enrolment: Enrolment | None,
    *,
    text: str,
    language: str,
    uploads: Sequence[Upload] = (),
    is_moderator: bool = False,
) -> Post:
    """Reply to a post; a second click finds the first one's reply.

    Raises ForumClosed, DiscussionLocked, PostGone, NotReleased, TooManyFiles or UploadRefused.
    """
    discussion = parent.discussion
    lock_person(author)
    _lock(discussion)
    db.session.refresh(parent)
    check_open(discussion, is_moderator=is_moderator)
    if parent.discussion_id != discussion.id or (parent.is_hidden and not is_moderator):
        raise PostGone
    same = queries.find_same_reply(author, discussion, parent, text, clock.now() - SAME_CLICK)
    if same is not None:
        return same
    post = Post(discussion=discussion, parent=parent, author=author, text=text, language=language)
    _keep(post, parent, uploads, enrolment)
    _announce(post, enrolment)
    return post


def _lock(discussion: Discussion) -> None:
    """Let replies to one discussion, and moves out of it, happen one after the other."""
    db.session.execute(
        select(Discussion)
        .where(Discussion.id == discussion.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _keep(
    post: Post, parent: Post | None, uploads: Sequence[Upload], enrolment: Enrolment | None
) -> None:
    discussion = post.discussion
    post.created_at = clock.now()
    post.search_text = _search_text(post, discussion, parent)
    db.session.add(post)
    if enrolment is not None:
        progress.start_activity(enrolment, discussion.activity)
    attach(post, uploads)
    db.session.flush()
    path, depth = post.place_below(parent)
    db.session.execute(update(Post).where(Post.id == post.id).values(path=path, depth=depth))
    db.session.execute(
        update(Discussion)
        .where(Discussion.id == discussion.id)
        .values(post_count=Discussion.post_count + 1, last_post_at=post.created_at)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(discussion, ["post_count", "last_post_at"])
    follow_after_writing(post.author, discussion)


def _announce(post: Post, enrolment: Enrolment | None) -> None:
    enqueue("forums.tell", post_id=post.id)
    emit(PostWritten(post, enrolment))
    forum = post.discussion.forum
    if enrolment is not None and forum.activity.completion == "posted":
        rules = ForumRules.of(forum.activity.settings)
        if queries.count_posts(post.author_id, forum) >= rules.minimum_posts:
            progress.complete_activity(enrolment, forum.activity)


def _search_text(post: Post, discussion: Discussion, parent: Post | None) -> str:
    words = plain_text(post.text, MAX_TEXT)
    return fold(words if parent else f"{discussion.title} {words}")


def attach(post: Post, uploads: Sequence[Upload]) -> None:
    """Keep the files with the post: all of them or none.

    Raises TooManyFiles, UploadRefused or UploadTooLarge.
    """
    if len(post.attachments) + len(uploads) > MAX_FILES:
        raise TooManyFiles
    for upload in uploads:
        file = keep_file(upload.content, upload.name, ATTACHMENTS, post.author.id)
        post.attachments.append(PostAttachment(file=file))


def edit_post(
    post: Post,
    *,
    text: str,
    language: str,
    version: int,
    title: str | None = None,
    uploads: Sequence[Upload] = (),
    removed: Collection[int] = (),
    is_moderator: bool = False,
) -> None:
    """Give one's own post another text; the earlier one stays in its history.

    version: that of the text the author had before their eyes. title: another one for the
    discussion, when the post opens it. removed: ids of attachments that go. Raises ForumClosed,
    DiscussionLocked, PostGone, PostChanged, TooManyFiles or UploadRefused.
    """
    check_open(post.discussion, is_moderator=is_moderator)
    lock_person(post.author)
    db.session.refresh(post)
    if not post.is_shown:
        raise PostGone
    if post.version != version:
        if post.text == text:  # a second click
            return
        raise PostChanged
    discussion = post.discussion
    is_renamed = post.is_opening and title is not None and title != discussion.title
    if text != post.text or is_renamed:
        old_title = discussion.title if post.is_opening else None
        post.revisions.append(PostRevision(title=old_title, text=post.text))
        post.edited_at = clock.now()
    if is_renamed and title is not None:
        discussion.title = title
    post.text, post.language = text, language
    if post.is_opening:
        discussion.language = language
    post.search_text = _search_text(post, discussion, post.parent)
    for attachment in [a for a in post.attachments if a.id in removed]:
        post.attachments.remove(attachment)
        enqueue("forums.remove_file", file_id=attachment.file_id)
    attach(post, uploads)
    if uploads or removed:
        flag_modified(post, "text")  # another version of the post, though its own row is the same
    db.session.flush()


def delete_post(post: Post, *, is_moderator: bool = False) -> bool:
    """Delete one's own post for good: text, history and attachments. Safe to repeat.

    Its place in the thread stays; a discussion without any other post goes as a whole. Returns
    whether the discussion is still there. Raises ForumClosed, DiscussionLocked.
    """
    discussion = post.discussion
    check_open(discussion, is_moderator=is_moderator)
    lock_person(post.author)
    db.session.refresh(post)
    if post.is_deleted:
        return True
    forget_notices(post)
    for attachment in post.attachments:
        enqueue("forums.remove_file", file_id=attachment.file_id)
    if post.is_opening and discussion.post_count == 1:
        db.session.execute(delete(Discussion).where(Discussion.id == discussion.id))
        return False
    post.attachments.clear()
    post.revisions.clear()
    post.text = post.search_text = ""
    post.is_deleted = True
    db.session.flush()
    return True
