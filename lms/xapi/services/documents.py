"""States and profiles: found, listed, written under preconditions, merged, deleted."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, text

from lms.core import clock
from lms.core.db import db
from lms.xapi.errors import (
    DocumentExists,
    NotMergeable,
    PreconditionFailed,
    PreconditionNeeded,
)
from lms.xapi.models.documents import DocumentKind, StoredDocument, digest
from lms.xapi.services.merging import members_of, merge

_JSON = "application/json"


@dataclass(frozen=True)
class DocumentPlace:
    """Where documents are kept: what a list of them is asked for by."""

    kind: DocumentKind
    activity: str = ""
    agent_key: str = ""
    registration: uuid.UUID | None = None

    @property
    def digest(self) -> str:
        """Digest without the registration, so that one place holds those of all."""
        return digest(self.kind, self.activity, self.agent_key)

    def key(self, name: str) -> str:
        """Digest of one document of this place."""
        return digest(self.digest, str(self.registration or ""), name)


@dataclass(frozen=True)
class Preconditions:
    """If-Match and If-None-Match: entity tags without quotes, or "*"; None when not sent."""

    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] | None = None

    @property
    def are_given(self) -> bool:
        """Whether either was sent."""
        return self.if_match is not None or self.if_none_match is not None

    def check(self, sha1: str | None) -> None:
        """Raise PreconditionFailed unless they hold; sha1: of the document, None without one."""
        wanted, unwanted = self.if_match, self.if_none_match
        if wanted is not None and (sha1 is None or not wanted & {"*", sha1}):
            raise PreconditionFailed
        if unwanted is not None and sha1 is not None and unwanted & {"*", sha1}:
            raise PreconditionFailed


@dataclass(frozen=True)
class SentDocument:
    """What a tool sent: bytes and their media type."""

    content: bytes
    content_type: str

    @property
    def is_json(self) -> bool:
        """Whether the media type is JSON's, whatever its parameters."""
        return _is_json(self.content_type)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == _JSON


def find_document(place: DocumentPlace, name: str) -> StoredDocument | None:
    """The document with this name at the place; of a state, the one of that registration."""
    return db.session.scalar(select(StoredDocument).where(StoredDocument.key == place.key(name)))


def _at(place: DocumentPlace) -> list[ColumnElement[bool]]:
    conditions = [StoredDocument.place == place.digest]
    if place.registration is not None:
        conditions.append(StoredDocument.registration == place.registration)
    return conditions


def list_names(
    place: DocumentPlace, since: datetime | None = None
) -> tuple[list[str], datetime | None]:
    """Names of the documents updated after `since`, and when the newest of them was."""
    found = select(StoredDocument.name, StoredDocument.updated_at).where(*_at(place))
    if since is not None:
        found = found.where(StoredDocument.updated_at > since)
    rows = db.session.execute(found.order_by(StoredDocument.id)).all()
    names = list(dict.fromkeys(name for name, _ in rows))  # one of each, over all registrations
    return names, max((updated_at for _, updated_at in rows), default=None)


def put_document(
    place: DocumentPlace,
    name: str,
    sent: SentDocument,
    preconditions: Preconditions,
    *,
    key_id: int | None,
    may_overwrite: bool = False,
    may_be_new: bool = True,
) -> StoredDocument:
    """Store a document in place of the one that is there.

    may_overwrite, may_be_new: whether a request without preconditions may replace a document, and
    store one where none is. Raises PreconditionFailed, DocumentExists, PreconditionNeeded.
    """
    kept = _find_to_change(place, name)
    preconditions.check(kept.sha1 if kept else None)
    if not preconditions.are_given:
        if kept is not None and not may_overwrite:
            raise DocumentExists
        if kept is None and not may_be_new:
            raise PreconditionNeeded
    return _keep(kept, place, name, sent, key_id)


def post_document(
    place: DocumentPlace,
    name: str,
    sent: SentDocument,
    preconditions: Preconditions,
    *,
    key_id: int | None,
    most_bytes: int,
) -> None:
    """Merge a JSON object into the one that is there; where none is, store what was sent.

    most_bytes: size that the merged document may have. Raises PreconditionFailed, NotMergeable.
    """
    kept = _find_to_change(place, name)
    preconditions.check(kept.sha1 if kept else None)
    if kept is None:
        if sent.is_json:
            members_of(sent.content, "sent")
        _keep(kept, place, name, sent, key_id)
        return
    for which, content_type in (("sent", sent.content_type), ("stored", kept.content_type)):
        if not _is_json(content_type):
            raise NotMergeable(which, f"its type is {content_type}, not {_JSON}")
    merged = merge(kept.content, sent.content)
    if len(merged) > most_bytes:
        raise NotMergeable("merged", f"it would have more than {most_bytes} bytes")
    _keep(kept, place, name, SentDocument(merged, sent.content_type), key_id)


def delete_document(place: DocumentPlace, name: str, preconditions: Preconditions) -> None:
    """Delete a document; safe to repeat. Raises PreconditionFailed."""
    kept = _find_to_change(place, name)
    preconditions.check(kept.sha1 if kept else None)
    if kept is not None:
        db.session.delete(kept)
        db.session.flush()


def delete_all(place: DocumentPlace) -> None:
    """Delete all documents of a place: those of a registration, or of all when none is named."""
    db.session.execute(delete(StoredDocument).where(*_at(place)))


def _find_to_change(place: DocumentPlace, name: str) -> StoredDocument | None:
    """The document, with the right to change it until the transaction ends.

    A lock on the row would not do: the first two writers find none to lock. SQLite has one writer.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(bytes.fromhex(place.key(name))[:8], "big", signed=True)
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
    return find_document(place, name)


def _keep(
    kept: StoredDocument | None,
    place: DocumentPlace,
    name: str,
    sent: SentDocument,
    key_id: int | None,
) -> StoredDocument:
    document = kept or StoredDocument(
        kind=place.kind,
        activity=place.activity,
        agent_key=place.agent_key,
        registration=place.registration,
        name=name,
        place=place.digest,
        key=place.key(name),
        agent_digest=digest(place.agent_key),
    )
    document.content = sent.content
    document.content_type = sent.content_type
    document.sha1 = hashlib.sha1(sent.content, usedforsecurity=False).hexdigest()
    document.updated_at = clock.now()
    document.key_id = key_id
    db.session.add(document)
    db.session.flush()
    return document


def documents_about(agent_key: str) -> Sequence[StoredDocument]:
    """All documents about an agent, oldest first."""
    return db.session.scalars(
        select(StoredDocument)
        .where(StoredDocument.agent_digest == digest(agent_key))
        .order_by(StoredDocument.id)
    ).all()


def forget_documents_about(agent_key: str) -> int:
    """Delete all documents about an agent; how many there were."""
    result = db.session.execute(
        delete(StoredDocument).where(StoredDocument.agent_digest == digest(agent_key))
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
