"""The secret address of a person's calendar feed."""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeSerializer

from lms.accounts.models import User
from lms.core.db import db
from lms.core.settings import settings
from lms.courses.models import CalendarFeed


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret(), salt="courses.calendar")


def feed_token(user: User) -> str:
    """The present secret of the person's feed."""
    feed = db.session.get(CalendarFeed, user.id)
    return str(_signer().dumps([user.id, feed.epoch if feed else 0]))


def renew_feed(user: User) -> None:
    """Make the present secret worthless."""
    feed = db.session.get(CalendarFeed, user.id)
    if feed is None:
        feed = CalendarFeed(user_id=user.id, epoch=0)
        db.session.add(feed)
    feed.epoch += 1
    db.session.flush()


def find_feed_owner(token: str) -> User | None:
    """Whose feed it is; None for a wrong or renewed secret, or a closed account."""
    try:
        user_id, epoch = _signer().loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    user = db.session.get(User, user_id)
    feed = db.session.get(CalendarFeed, user_id)
    if user is None or not user.is_active or (feed.epoch if feed else 0) != epoch:
        return None
    return user
