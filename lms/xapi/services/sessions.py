"""Sessions of launched content: short-lived credentials that speak for one person."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from lms.core import clock
from lms.core.db import db
from lms.xapi.models import LaunchSession
from lms.xapi.services.access import SESSION_PREFIX, forget_access, hash_secret

LIVES = timedelta(hours=8)
_KEPT_AFTERWARDS = timedelta(days=1)


def open_session(
    actor: Mapping[str, Any],
    registration: uuid.UUID,
    activities: Sequence[str],
    lives: timedelta = LIVES,
) -> tuple[str, str]:
    """Credentials (HTTP Basic) for content that a person opens; the secret cannot be read again.

    actor: an xAPI agent. activities: IRIs; the launched activity first, then others that its
    statements may name instead, such as the publisher's own id (cmi5 Quartz, 10.2.1).
    """
    key, secret = SESSION_PREFIX + secrets.token_hex(16), secrets.token_urlsafe(32)
    db.session.add(
        LaunchSession(
            key=key,
            secret_hash=hash_secret(secret),
            actor=dict(actor),
            registration=registration,
            activities=list(activities),
            expires_at=clock.now() + lives,
        )
    )
    db.session.flush()
    return key, secret


def end_session(key: str) -> None:
    """Let a session's credentials work no more. Safe to repeat."""
    session = db.session.scalar(select(LaunchSession).where(LaunchSession.key == key))
    if session is not None and session.ended_at is None:
        session.ended_at = clock.now()
        db.session.flush()
    forget_access(key)


def remove_old_sessions() -> None:
    """Forget sessions that have been over for a day."""
    db.session.execute(
        delete(LaunchSession).where(LaunchSession.expires_at < clock.now() - _KEPT_AFTERWARDS)
    )
