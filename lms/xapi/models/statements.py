"""Statements, what they are found by, their order, and the activities that they describe."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import BigInt, Model, PrimaryKey


class StoredStatement(Model):
    """One statement, kept as the JSON text that is given back.

    `id` and `stored` grow together, in the order of commit (`services.store`).
    """

    __tablename__ = "xapi_statements"
    __table_args__ = (
        Index("ix_xapi_statements_verb_id_id", "verb_id", "id"),
        Index("ix_xapi_statements_key_id_id", "key_id", "id"),
        UniqueConstraint("stored", name="uq_xapi_statements_stored"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
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


class StatementKey(Model):
    """A statement is found under this number (`lookup.lookup_key`).

    Entries of statements that are no more do no harm: who looks for statements joins them.
    """

    __tablename__ = "xapi_statement_keys"
    __table_args__ = {"sqlite_with_rowid": False}

    key: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    statement_pk: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)


class StoreOrder(Model):
    """The one row that all writers of statements change, and so stand in line for."""

    __tablename__ = "xapi_store_order"

    id: Mapped[PrimaryKey]
    last_pk: Mapped[int] = mapped_column(BigInt)
    last_stored: Mapped[int] = mapped_column(BigInt)  # microseconds since 1970, UTC
    activities_version: Mapped[int] = mapped_column(BigInt)  # grows when a definition changes


class KnownActivity(Model):
    """An activity as all statements together describe it."""

    __tablename__ = "xapi_activities"

    key: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    iri: Mapped[str] = mapped_column(Text)
    definition: Mapped[str] = mapped_column(Text)  # JSON
