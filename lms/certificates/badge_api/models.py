"""Clients, the connections of holders to them, what opens these, and credentials from elsewhere."""

from __future__ import annotations

import hmac
import uuid
from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin
from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.certificates.badge_api.scopes import OFFERED
from lms.certificates.badge_api.secrets import digest_of
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.db import Model, PrimaryKey

CODE_LIFETIME = timedelta(minutes=5)
ACCESS_LIFETIME = timedelta(hours=1)
REFRESH_LIFETIME = timedelta(days=90)


class BadgeClient(Model, ClientMixin):  # type: ignore[misc]
    """A program of somebody else that has registered (RFC 7591); its secret is not kept.

    `registration` is what it said of itself; all its addresses lie at `host`.
    """

    __tablename__ = "badge_clients"

    id: Mapped[PrimaryKey]
    client_id: Mapped[str] = mapped_column(unique=True)
    secret_digest: Mapped[str]
    name: Mapped[str]
    host: Mapped[str]
    registration: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)

    @property
    def scopes(self) -> list[str]:
        """What it may ask for."""
        return str(self.registration["scope"]).split()

    def get_client_id(self) -> str:
        """Its public name."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: the address has to be told each time (Open Badges 3.0, 8.3.1)."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Of what is asked for, what it registered for; None when nothing is left."""
        asked = (scope or "").split()
        allowed = [name for name in OFFERED if name in asked and name in self.scopes]
        return " ".join(allowed) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it registered this very address."""
        return redirect_uri in self.registration["redirect_uris"]

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is the secret that was given to it."""
        return hmac.compare_digest(self.secret_digest, digest_of(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """`client_secret_basic` alone (Open Badges 3.0, 8.2.2)."""
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        """`code` alone."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it registered for this way to a token."""
        return grant_type in self.registration["grant_types"]


class BadgeConnection(Model):
    """A person has let a client act for them. Ended once and for all when `ended_at` is set."""

    __tablename__ = "badge_connections"
    __table_args__ = (
        Index(
            "ix_badge_connections_open",
            "user_id",
            "client_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("badge_clients.id"), index=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]  # within a minute
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    client: Mapped[BadgeClient] = relationship()


class BadgeCode(Model, AuthorizationCodeMixin):  # type: ignore[misc]
    """An authorization code (RFC 6749, 4.1): works once, for a few minutes."""

    __tablename__ = "badge_codes"

    id: Mapped[PrimaryKey]
    digest: Mapped[str] = mapped_column(unique=True)  # SHA-256
    connection_id: Mapped[int] = mapped_column(
        ForeignKey("badge_connections.id", ondelete="CASCADE"), index=True
    )
    scope: Mapped[str]
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str]
    code_challenge_method: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    connection: Mapped[BadgeConnection] = relationship()

    def get_redirect_uri(self) -> str:
        """The address to which it was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What was allowed."""
        return self.scope


class BadgeToken(Model, TokenMixin):  # type: ignore[misc]
    """An access token, and the refresh token that came with it; neither is kept itself."""

    __tablename__ = "badge_tokens"

    id: Mapped[PrimaryKey]
    connection_id: Mapped[int] = mapped_column(
        ForeignKey("badge_connections.id", ondelete="CASCADE"), index=True
    )
    access_digest: Mapped[str] = mapped_column(unique=True)  # SHA-256
    refresh_digest: Mapped[str | None] = mapped_column(unique=True)
    scope: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    refresh_expires_at: Mapped[datetime] = mapped_column(index=True)
    refreshed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    connection: Mapped[BadgeConnection] = relationship()

    def check_client(self, client: BadgeClient) -> bool:
        """Whether it was issued to this client."""
        return self.connection.client_id == client.id

    def get_scope(self) -> str:
        """What it opens."""
        return self.scope

    def is_good(self, at: datetime) -> bool:
        """Whether it opens anything at an instant."""
        return self.revoked_at is None and at < self.expires_at


class WalletOffer(Model):
    """A certificate offered to a wallet: for minutes, once. `document` stays for a day, for a
    wallet whose network failed."""

    __tablename__ = "wallet_offers"

    id: Mapped[PrimaryKey]
    credential_id: Mapped[int] = mapped_column(ForeignKey("credentials.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)  # SHA-256 of the word in the link
    code_digest: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    token_digest: Mapped[str | None] = mapped_column(unique=True)
    token_expires_at: Mapped[datetime | None]
    issued_at: Mapped[datetime | None] = mapped_column(index=True)
    holder: Mapped[str | None] = mapped_column(Text)  # the DID of the wallet's key
    document: Mapped[str | None] = mapped_column(Text)

    credential: Mapped[Credential] = relationship()


class ForeignCredential(Model):
    """A credential of another issuer that a holder keeps here; verified when it came."""

    __tablename__ = "foreign_credentials"
    __table_args__ = (UniqueConstraint("user_id", "issuer", "identifier"),)

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    issuer: Mapped[str]  # both in the form in which they are compared: see foreign.same_id
    identifier: Mapped[str]
    issuer_name: Mapped[str]
    title: Mapped[str]
    content: Mapped[str] = mapped_column(Text)  # as it came: JSON or a token
    is_token: Mapped[bool]
    valid_from: Mapped[datetime | None]
    kept_at: Mapped[datetime] = mapped_column(default=clock.now)
    from_host: Mapped[str]  # of the client that brought it

    user: Mapped[User] = relationship()
