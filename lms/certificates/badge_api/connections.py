"""Connections: made with the holder's consent, used by access tokens, ended by either side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from lms.accounts.models import User
from lms.certificates.badge_api import queries
from lms.certificates.badge_api.errors import ScopeMissing, TokenRefused
from lms.certificates.badge_api.models import (
    ACCESS_LIFETIME,
    CODE_LIFETIME,
    REFRESH_LIFETIME,
    BadgeClient,
    BadgeCode,
    BadgeConnection,
    BadgeToken,
)
from lms.certificates.badge_api.secrets import digest_of
from lms.core import clock
from lms.core.db import db
from lms.notifications.services import tell

USE_KEPT_EVERY = timedelta(minutes=1)
ENDED_KEPT_FOR = timedelta(days=30)


def connect(user: User, client: BadgeClient, scopes: Sequence[str]) -> BadgeConnection:
    """Let a client act for a person, who is told; what was allowed to it before no longer
    counts."""
    found = queries.find_open_connection(user, client)
    if found is None:
        found = BadgeConnection(user_id=user.id, client_id=client.id, scopes=list(scopes))
        db.session.add(found)
        tell(user, "certificates.connected", host=client.host)
    found.scopes = list(scopes)
    db.session.flush()
    return found


def keep_code(
    connection: BadgeConnection, code: str, redirect_uri: str, challenge: str, method: str
) -> None:
    """Keep an authorization code that the client may change into a token."""
    made = BadgeCode(
        digest=digest_of(code),
        connection_id=connection.id,
        scope=" ".join(connection.scopes),
        redirect_uri=redirect_uri,
        code_challenge=challenge,
        code_challenge_method=method,
        expires_at=clock.now() + CODE_LIFETIME,
    )
    db.session.add(made)
    db.session.flush()


def open_code(text: str, client: BadgeClient) -> BadgeCode | None:
    """The code, when this client may still use it.

    One that comes again was seen by somebody else: then all tokens of the connection end.
    """
    code = queries.find_code(text)
    if code is None or code.connection.client_id != client.id:
        return None
    if code.used_at is not None:
        revoke_tokens(code.connection)
        return None
    is_good = clock.now() < code.expires_at and code.connection.ended_at is None
    return code if is_good else None


def use_code(code: BadgeCode) -> None:
    """Note that a code was changed into a token."""
    code.used_at = clock.now()
    db.session.flush()


def keep_token(
    connection: BadgeConnection, access_token: str, refresh_token: str | None, scope: str
) -> None:
    """Keep what a client got."""
    now = clock.now()
    made = BadgeToken(
        connection_id=connection.id,
        access_digest=digest_of(access_token),
        refresh_digest=digest_of(refresh_token) if refresh_token else None,
        scope=scope,
        issued_at=now,
        expires_at=now + ACCESS_LIFETIME,
        refresh_expires_at=now + (REFRESH_LIFETIME if refresh_token else ACCESS_LIFETIME),
    )
    db.session.add(made)
    db.session.flush()


def open_refresh_token(text: str, client: BadgeClient) -> BadgeToken | None:
    """The token that a refresh token renews. It works once: see `open_code`."""
    token = queries.find_by_refresh_token(text)
    if token is None or not token.check_client(client) or token.connection.ended_at is not None:
        return None
    if token.refreshed_at is not None:
        revoke_tokens(token.connection)
        return None
    is_good = token.revoked_at is None and clock.now() < token.refresh_expires_at
    return token if is_good else None


def find_token(text: str) -> BadgeToken | None:
    """A token by either of its two words."""
    return queries.find_by_access_token(text) or queries.find_by_refresh_token(text)


def close_token(token: BadgeToken, *, refreshed: bool = False) -> None:
    """Let a token open nothing any more. Safe to repeat."""
    now = clock.now()
    token.revoked_at = token.revoked_at or now
    if refreshed:
        token.refreshed_at = now
    db.session.flush()


def revoke_tokens(connection: BadgeConnection) -> None:
    """Let all tokens of a connection open nothing any more."""
    db.session.execute(
        update(BadgeToken)
        .where(BadgeToken.connection_id == connection.id, BadgeToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def end(connection: BadgeConnection) -> None:
    """End a connection at once. Safe to repeat."""
    if connection.ended_at is None:
        connection.ended_at = clock.now()
        revoke_tokens(connection)
        db.session.flush()


def connection_of(access_token: str, scope: str) -> BadgeConnection:
    """For whom and for which client a request acts. Raises TokenRefused and ScopeMissing."""
    token = queries.find_by_access_token(access_token) if access_token else None
    if token is None or not token.is_good(clock.now()):
        raise TokenRefused
    connection = token.connection
    if connection.ended_at is not None or not connection.user.is_active:
        raise TokenRefused
    if scope not in token.scope.split() or scope not in connection.scopes:
        raise ScopeMissing
    return connection


def is_use_news(connection: BadgeConnection, at: datetime) -> bool:
    """Whether this use is to be noted: once a minute is enough."""
    last = connection.last_used_at
    return last is None or last <= at - USE_KEPT_EVERY


def note_use(connection_id: int, at: datetime) -> None:
    """Note when a connection was last used."""
    db.session.execute(
        update(BadgeConnection)
        .where(
            BadgeConnection.id == connection_id,
            or_(
                BadgeConnection.last_used_at.is_(None),
                BadgeConnection.last_used_at <= at - USE_KEPT_EVERY,
            ),
        )
        .values(last_used_at=at)
        .execution_options(synchronize_session=False)
    )


def forget_old() -> None:
    """Delete what opens nothing any more, and connections that ended a month ago."""
    now = clock.now()
    for table, over in (
        (BadgeCode, BadgeCode.expires_at < now - timedelta(days=1)),
        (BadgeToken, BadgeToken.refresh_expires_at < now - timedelta(days=1)),
        (BadgeConnection, BadgeConnection.ended_at < now - ENDED_KEPT_FOR),
    ):
        db.session.execute(delete(table).where(over).execution_options(synchronize_session=False))


def erase(user_id: int) -> None:
    """Delete a person's connections, and with them all that opens something."""
    mine = select(BadgeConnection.id).where(BadgeConnection.user_id == user_id)
    for table in (BadgeCode, BadgeToken):
        db.session.execute(delete(table).where(table.connection_id.in_(mine)))
    db.session.execute(delete(BadgeConnection).where(BadgeConnection.user_id == user_id))


def export(user_id: int) -> list[dict[str, object]]:
    """A person's connections."""
    mine = select(BadgeConnection).where(BadgeConnection.user_id == user_id)
    return [
        {
            "host": connection.client.host,
            "name": connection.client.name,
            "scopes": connection.scopes,
            "created_at": connection.created_at,
            "last_used_at": connection.last_used_at,
            "ended_at": connection.ended_at,
        }
        for connection in db.session.scalars(mine.order_by(BadgeConnection.id))
    ]
