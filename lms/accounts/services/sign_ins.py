"""Sign-ins: each browser's own, so that each can be ended on the server."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import delete

from lms.accounts.models import SIGN_IN_LIVES, SignIn, User
from lms.core import clock
from lms.core.db import db


def open_sign_in(user: User, second_factor_at: datetime | None = None) -> str:
    """Note that the person signed in; gives the key for the browser's session."""
    sign_in = SignIn(user_id=user.id, second_factor_at=second_factor_at)
    db.session.add(sign_in)
    db.session.flush()
    return sign_in.key.hex


def end_sign_in(key: uuid.UUID) -> None:
    """Make the session of one browser worthless, and every copy of its cookie."""
    db.session.execute(delete(SignIn).where(SignIn.key == key))


def end_all_sign_ins(user: User) -> None:
    """Make every session of the person worthless, on all devices."""
    db.session.execute(delete(SignIn).where(SignIn.user_id == user.id))


def remove_old_sign_ins() -> None:
    """Remove those that are too old to be of use."""
    db.session.execute(delete(SignIn).where(SignIn.opened_at < clock.now() - SIGN_IN_LIVES))
