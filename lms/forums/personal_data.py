"""What the forums keep about one person.

When an account is closed the posts stay, because others replied to them, but without the name:
"Former participant" stands there. Earlier texts and attachments go.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from lms.core.db import db
from lms.core.outbox import enqueue
from lms.core.personal_data import PersonalData
from lms.forums import queries
from lms.forums.models import ForumRead, ForumSubscription, Post, PostAttachment, PostRevision
from lms.forums.services.notices import forget_notices_about


def _export(user_id: int) -> dict[str, Any]:
    follows = db.session.scalars(
        select(ForumSubscription).where(ForumSubscription.user_id == user_id)
    )
    return {
        "posts": [
            {
                "discussion": post.discussion.title,
                "run_id": post.discussion.run_id,
                "written_at": post.created_at.isoformat(),
                "edited_at": post.edited_at.isoformat() if post.edited_at else None,
                "language": post.language,
                "text": post.text,
                "is_deleted": post.is_deleted,
                "is_hidden": post.is_hidden,
                "hidden_reason": post.hidden_reason,
                "earlier_texts": [
                    {"text": row.text, "replaced_at": row.replaced_at.isoformat()}
                    for row in post.revisions
                ],
                "attachments": [row.file.name for row in post.attachments],
            }
            for post in queries.posts_of(user_id)
        ],
        "follows": [
            {
                "run_id": row.run_id,
                "activity_id": row.activity_id,
                "discussion_id": row.discussion_id,
                "is_on": row.is_on,
            }
            for row in follows
        ],
    }


def _erase(user_id: int) -> None:
    own = select(Post.id).where(Post.author_id == user_id)
    files = db.session.scalars(
        select(PostAttachment.file_id).where(PostAttachment.post_id.in_(own))
    ).all()
    db.session.execute(delete(PostAttachment).where(PostAttachment.post_id.in_(own)))
    for file_id in files:
        enqueue("forums.remove_file", file_id=file_id)
    db.session.execute(delete(PostRevision).where(PostRevision.post_id.in_(own)))
    db.session.execute(delete(ForumSubscription).where(ForumSubscription.user_id == user_id))
    db.session.execute(delete(ForumRead).where(ForumRead.user_id == user_id))
    forget_notices_about(user_id)
    db.session.expire_all()


forum_data = PersonalData("forums", _export, _erase)
