"""Reads of clients, connections, tokens and credentials from elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.certificates.badge_api.models import (
    BadgeClient,
    BadgeCode,
    BadgeConnection,
    BadgeToken,
    ForeignCredential,
)
from lms.certificates.badge_api.secrets import digest_of
from lms.certificates.models import Credential
from lms.core.db import db
from lms.core.errors import NotFound


def find_client(client_id: str) -> BadgeClient | None:
    """A client by its public name."""
    return db.session.scalar(select(BadgeClient).where(BadgeClient.client_id == client_id))


def find_open_connection(user: User, client: BadgeClient) -> BadgeConnection | None:
    """The connection of a person to a client, unless it was ended."""
    return db.session.scalar(
        select(BadgeConnection).where(
            BadgeConnection.user_id == user.id,
            BadgeConnection.client_id == client.id,
            BadgeConnection.ended_at.is_(None),
        )
    )


def list_connections(user: User) -> Sequence[BadgeConnection]:
    """A person's connections that are open, the newest first."""
    return db.session.scalars(
        select(BadgeConnection)
        .where(BadgeConnection.user_id == user.id, BadgeConnection.ended_at.is_(None))
        .options(joinedload(BadgeConnection.client))
        .order_by(BadgeConnection.id.desc())
    ).all()


def get_connection(identifier: uuid.UUID, user: User) -> BadgeConnection:
    """A person's own connection. Raises NotFound."""
    found = db.session.scalar(
        select(BadgeConnection).where(
            BadgeConnection.uuid == identifier, BadgeConnection.user_id == user.id
        )
    )
    if found is None:
        raise NotFound
    return found


def find_code(text: str) -> BadgeCode | None:
    """An authorization code, locked until the transaction ends."""
    return db.session.scalar(
        select(BadgeCode).where(BadgeCode.digest == digest_of(text)).with_for_update()
    )


def find_by_refresh_token(text: str) -> BadgeToken | None:
    """The token that a refresh token renews, locked until the transaction ends."""
    return db.session.scalar(
        select(BadgeToken).where(BadgeToken.refresh_digest == digest_of(text)).with_for_update()
    )


def find_by_access_token(text: str) -> BadgeToken | None:
    """A token with its connection and person."""
    return db.session.scalar(
        select(BadgeToken)
        .where(BadgeToken.access_digest == digest_of(text))
        .options(
            joinedload(BadgeToken.connection).options(
                joinedload(BadgeConnection.user), joinedload(BadgeConnection.client)
            )
        )
    )


def _own(user: User, since: datetime | None) -> list[ColumnElement[bool]]:
    wanted = [Credential.user_id == user.id, Credential.revoked_at.is_(None)]
    return wanted if since is None else [*wanted, Credential.issued_at > since]


def _foreign(user: User, since: datetime | None) -> list[ColumnElement[bool]]:
    wanted = [ForeignCredential.user_id == user.id]
    return wanted if since is None else [*wanted, ForeignCredential.kept_at > since]


def count_credentials(user: User, since: datetime | None) -> tuple[int, int]:
    """How many credentials a person has of this site, not revoked, and of others."""
    own = select(func.count()).select_from(Credential).where(*_own(user, since))
    foreign = select(func.count()).select_from(ForeignCredential).where(*_foreign(user, since))
    return db.session.scalar(own) or 0, db.session.scalar(foreign) or 0


def list_own(
    user: User, since: datetime | None = None, *, offset: int = 0, limit: int = 100
) -> Sequence[Credential]:
    """A person's credentials of this site that are not revoked, the newest first."""
    return db.session.scalars(
        select(Credential)
        .where(*_own(user, since))
        .order_by(Credential.issued_at.desc(), Credential.id.desc())
        .offset(offset)
        .limit(limit)
    ).all()


def list_foreign(
    user: User, since: datetime | None = None, *, offset: int = 0, limit: int = 200
) -> Sequence[ForeignCredential]:
    """What a person keeps of other issuers, the newest first."""
    return db.session.scalars(
        select(ForeignCredential)
        .where(*_foreign(user, since))
        .order_by(ForeignCredential.id.desc())
        .offset(offset)
        .limit(limit)
    ).all()


def find_foreign(user: User, issuer: str, identifier: str) -> ForeignCredential | None:
    """What a person keeps of an issuer under an identifier."""
    return db.session.scalar(
        select(ForeignCredential).where(
            ForeignCredential.user_id == user.id,
            ForeignCredential.issuer == issuer,
            ForeignCredential.identifier == identifier,
        )
    )


def get_foreign(identifier: uuid.UUID, user: User) -> ForeignCredential:
    """A person's own credential from elsewhere. Raises NotFound."""
    found = db.session.scalar(
        select(ForeignCredential).where(
            ForeignCredential.uuid == identifier, ForeignCredential.user_id == user.id
        )
    )
    if found is None:
        raise NotFound
    return found
