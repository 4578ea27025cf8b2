"""What somebody typed and did not send yet, kept on the server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from lms.accounts import queries
from lms.accounts.errors import DraftTooLarge, TooManyDrafts
from lms.accounts.models import Draft, User
from lms.core import clock
from lms.core.db import db

LARGEST = 64 * 1024  # bytes of JSON
MOST = 200  # a person
LONGEST_KEY = 120
KEPT_FOR = timedelta(days=90)


def keep_draft(user: User, key: str, content: dict[str, Any]) -> Draft:
    """Keep a draft in place of the earlier one. Raises DraftTooLarge or TooManyDrafts."""
    if len(orjson.dumps(content)) > LARGEST:
        raise DraftTooLarge
    draft = queries.find_draft(user.id, key) or _new_draft(user, key)
    draft.content, draft.updated_at = content, clock.now()
    db.session.flush()
    return draft


def _new_draft(user: User, key: str) -> Draft:
    if queries.count_drafts(user.id) >= MOST:
        raise TooManyDrafts
    draft = Draft(user_id=user.id, key=key, content={})
    try:
        with db.session.begin_nested():
            db.session.add(draft)
    except IntegrityError:  # another window was first
        return queries.find_draft(user.id, key) or draft
    return draft


def discard_draft(user: User, key: str) -> None:
    """Forget a draft, if there is one."""
    db.session.execute(delete(Draft).where(Draft.user_id == user.id, Draft.key == key))


def remove_old_drafts() -> None:
    """Remove drafts that nobody touched for a quarter of a year."""
    db.session.execute(delete(Draft).where(Draft.updated_at < clock.now() - KEPT_FOR))
