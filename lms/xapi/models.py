"""The store: statements, what they are found by, keys, and forwarding."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey


class StoredStatement(Model):
    """One statement, kept as the JSON text that is given back."""

    __tablename__ = "xapi_statements"
    __table_args__ = (
        Index("ix_xapi_statements_actor_key_id", "actor_key", "id"),
        Index("ix_xapi_statements_verb_id_id", "verb_id", "id"),
        Index("ix_xapi_statements_object_key_id", "object_key", "id"),
        Index("ix_xapi_statements_registration_id", "registration", "id"),
        Index("ix_xapi_statements_stored_id", "stored", "id"),
    )

    id: Mapped[PrimaryKey]
    statement_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    stored: Mapped[datetime]
    timestamp: Mapped[datetime]
    actor_key: Mapped[str]  # the agent's identifier: "account:<homePage>|<name>", "mbox:..."
    verb_id: Mapped[str]
    object_key: Mapped[str]  # activity IRI, agent identifier, or "ref:<statement id>"
    registration: Mapped[uuid.UUID | None]
    is_voided: Mapped[bool] = mapped_column(default=False)
    key_id: Mapped[int | None] = mapped_column(ForeignKey("xapi_keys.id", ondelete="SET NULL"))
    document: Mapped[str] = mapped_column(Text)


class RelatedActivity(Model):
    """An activity that a statement names in its context or substatement."""

    __tablename__ = "xapi_related_activities"
    __table_args__ = (Index("ix_xapi_related_activities_iri", "iri", "statement_pk"),)

    statement_pk: Mapped[int] = mapped_column(
        BigInt, ForeignKey("xapi_statements.id", ondelete="CASCADE"), primary_key=True
    )
    iri: Mapped[str] = mapped_column(primary_key=True)


class RelatedAgent(Model):
    """An agent that a statement names anywhere but as its actor."""

    __tablename__ = "xapi_related_agents"
    __table_args__ = (Index("ix_xapi_related_agents_key", "key", "statement_pk"),)

    statement_pk: Mapped[int] = mapped_column(
        BigInt, ForeignKey("xapi_statements.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)


class KeyScope(StrEnum):
    """What a key may do."""

    WRITE = "statements/write"
    READ_MINE = "statements/read/mine"
    READ = "statements/read"
    ALL = "all"


class XapiKey(Model):
    """Credentials of another tool for the endpoint (HTTP Basic)."""

    __tablename__ = "xapi_keys"

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str]  # SHA-256 of a secret with 256 bits of randomness
    name: Mapped[str]
    scope: Mapped[str] = mapped_column(default=KeyScope.ALL)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ForwardingTarget(Model):
    """Another store that gets a copy of the statements."""

    __tablename__ = "xapi_forwarding_targets"

    id: Mapped[PrimaryKey]
    name: Mapped[str]
    endpoint: Mapped[str]
    username: Mapped[str]
    password_sealed: Mapped[str]  # signed and encrypted with the site's key
    is_active: Mapped[bool] = mapped_column(default=True)
    last_statement_pk: Mapped[int] = mapped_column(BigInt, default=0)  # sent up to here
    last_sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class RefusedByTarget(Model):
    """A statement that the other store will not take, however often it is sent."""

    __tablename__ = "xapi_refused_by_target"
    __table_args__ = (UniqueConstraint("target_id", "statement_pk"),)

    id: Mapped[PrimaryKey]
    target_id: Mapped[int] = mapped_column(
        ForeignKey("xapi_forwarding_targets.id", ondelete="CASCADE")
    )
    statement_pk: Mapped[int] = mapped_column(
        BigInt, ForeignKey("xapi_statements.id", ondelete="CASCADE"), index=True
    )
    error: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)
