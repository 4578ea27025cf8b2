"""Documents that other tools keep here: states and profiles."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Model, PrimaryKey


class DocumentKind(StrEnum):
    """What a document is about."""

    STATE = "state"
    ACTIVITY_PROFILE = "activity profile"
    AGENT_PROFILE = "agent profile"


def digest(*parts: str) -> str:
    """SHA-256 of some texts in order; stands for them in an index, however long they are."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


class StoredDocument(Model):
    """One document, kept as the bytes that are given back (xAPI 1.0.3, part three, 2.2).

    `place` is the digest of kind, activity and agent: what a list of documents is asked for by.
    `key` is the digest of place, registration and name: what one document is found by.
    """

    __tablename__ = "xapi_documents"
    __table_args__ = (Index("ix_xapi_documents_place_id", "place", "id"),)

    id: Mapped[PrimaryKey]
    kind: Mapped[str]
    activity: Mapped[str]  # IRI; empty for an agent profile
    agent_key: Mapped[str]  # as in `services.store.agent_key`; empty for an activity profile
    registration: Mapped[uuid.UUID | None]
    name: Mapped[str]  # the standard's stateId or profileId
    place: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    agent_digest: Mapped[str] = mapped_column(index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    content_type: Mapped[str]
    sha1: Mapped[str]  # of the content, in lower-case hexadecimal: the entity tag
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    key_id: Mapped[int | None] = mapped_column(ForeignKey("xapi_keys.id", ondelete="SET NULL"))
