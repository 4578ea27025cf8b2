"""Statements and what they are found by."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

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
