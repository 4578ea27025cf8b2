"""Statements that go, or stay without the person: with all by which they are found, and counted.

Deleting takes along the statements that voided what is deleted. A statement in which the person is
actor or object is the person's own; one that names the person elsewhere, as instructor or in a
group, is somebody else's: it stays, and the person in it becomes a name that says nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any
from urllib.parse import quote

from sqlalchemy import delete, or_, select, update

from lms.core.db import db
from lms.core.files import file_store
from lms.core.outbox import enqueue
from lms.core.settings import settings
from lms.xapi.json_text import Edit, dumps, edited, elements, members, read_one
from lms.xapi.lookup import By, agent_key, lookup_key, lookup_keys, object_key, reference_of
from lms.xapi.models import (
    Attachment,
    AttachmentUse,
    LaunchSession,
    RefusedRequest,
    StatementKey,
    StoredStatement,
)
from lms.xapi.models.documents import StoredDocument, digest
from lms.xapi.services import summaries
from lms.xapi.services.chains import KEY_COLUMNS, Link, inherit
from lms.xapi.services.documents import DocumentPlace, forget_documents_about
from lms.xapi.services.rows import insert_rows, rows_in
from lms.xapi.services.signatures import SIGNATURE
from lms.xapi.validation import VOIDED

_CHOSEN = {"true-false", "choice", "likert", "matching", "performance", "sequencing", "numeric"}


@dataclass(frozen=True)
class Found:
    """What the store holds about a person."""

    own: int  # statements in which the person is actor or object
    others: int  # statements that name the person elsewhere
    documents: int


@dataclass
class Done:
    """What an erasure did; numbers of statements and documents."""

    deleted: int = 0
    changed: int = 0
    documents: int = 0


def identifiers_of(text: str) -> tuple[str, ...]:
    """The identifiers (`lookup.agent_key`) that a text may stand for.

    text: an e-mail address, "homePage|name" of an account, or an identifier itself.
    """
    text = text.strip()
    if text.startswith(("account:", "mbox:", "sha1:", "openid:")):
        return (text,)
    if "|" in text:
        return (f"account:{text}",)
    if "://" in text:
        return (f"openid:{text}",)
    return identifiers_of_address(text.removeprefix("mailto:"))


def identifiers_of_address(email: str) -> tuple[str, ...]:
    """As what an e-mail address can stand in statements: as it is, in small letters, as a hash."""
    forms = dict.fromkeys((f"mailto:{email}", f"mailto:{email.lower()}"))
    hashes = (sha1(form.encode(), usedforsecurity=False).hexdigest() for form in forms)
    return (*(f"mbox:{form}" for form in forms), *(f"sha1:{one}" for one in hashes))


def _naming(identifiers: Iterable[str]) -> Any:
    keys = [lookup_key(By.RELATED_AGENT, one) for one in identifiers]
    return select(StatementKey.statement_pk).where(StatementKey.key.in_(keys))


def _is_own(identifiers: Collection[str]) -> Any:
    return or_(
        StoredStatement.actor_key.in_(identifiers), StoredStatement.object_key.in_(identifiers)
    )


def find(identifiers: Collection[str]) -> Found:
    """What an erasure would concern: the counts that are shown before it is done."""
    rows = db.session.execute(
        select(_is_own(identifiers).label("is_own"), StoredStatement.document).where(
            StoredStatement.id.in_(_naming(identifiers))
        )
    )
    own = others = 0
    for is_own, document in rows:
        if is_own:
            own += 1
        elif _edits(document, identifiers, {}):
            others += 1
    digests = [digest(one) for one in identifiers]
    documents = db.session.scalars(
        select(StoredDocument.id).where(StoredDocument.agent_digest.in_(digests))
    ).all()
    return Found(own, others, len(documents))


def delete_statements(primary_keys: Collection[int]) -> int:
    """Delete statements, and those that voided them; returns how many. All must be counted."""
    if not primary_keys:
        return 0
    columns = (StoredStatement.id, StoredStatement.statement_id, StoredStatement.document)
    rows = list(db.session.execute(select(*columns).where(StoredStatement.id.in_(primary_keys))))
    voided = [lookup_key(By.REFERENCE, str(row.statement_id)) for row in rows]
    rows += db.session.execute(
        select(*columns).where(
            StoredStatement.id.in_(
                select(StatementKey.statement_pk).where(StatementKey.key.in_(voided))
            ),
            StoredStatement.verb_id == VOIDED,
            StoredStatement.id.not_in(primary_keys),
        )
    )
    if not rows:
        return 0
    gone = [row.id for row in rows]
    summaries.forget(gone)
    links: dict[str, Link] = {}
    for row in rows:
        statement = read_one(row.document).value
        links[str(row.statement_id)] = Link(lookup_keys(statement), reference_of(statement))
    inherit(links)
    for row in rows:
        link = links[str(row.statement_id)]
        if link.reference:
            link.keys.add(lookup_key(By.REFERENCE, link.reference))
        _remove_keys(link.keys, row.id)
    _forget_attachments(gone)
    db.session.execute(delete(StoredStatement).where(StoredStatement.id.in_(gone)))
    return len(gone)


def _forget_attachments(primary_keys: Collection[int]) -> None:
    """Let go of attachments that no other statement names; their bytes go after the commit."""
    uses = AttachmentUse.statement_pk.in_(primary_keys)
    named = set(db.session.scalars(select(AttachmentUse.sha2).where(uses)))
    if not named:
        return
    db.session.execute(delete(AttachmentUse).where(uses))
    still = select(AttachmentUse.sha2).where(AttachmentUse.sha2 == Attachment.sha2).exists()
    unused = select(Attachment).where(Attachment.sha2.in_(named), ~still)
    for attachment in db.session.scalars(unused).all():
        enqueue("xapi.delete_attachment", path=attachment.path)
        db.session.delete(attachment)
    db.session.flush()


def delete_attachment(path: str) -> None:
    """The job that takes bytes away, unless another statement has brought them again."""
    is_wanted = db.session.scalar(select(Attachment.sha2).where(Attachment.path == path))
    db.session.rollback()
    if is_wanted is None:
        file_store().delete(path)


def _remove_keys(keys: Iterable[int], primary_key: int) -> None:
    db.session.execute(
        delete(StatementKey).where(
            StatementKey.key.in_(keys), StatementKey.statement_pk == primary_key
        )
    )


def pseudonym() -> dict[str, Any]:
    """An agent that nobody can tie to a person."""
    account = {"homePage": settings().base_url, "name": f"anonymous-{uuid.uuid4().hex}"}
    return {"objectType": "Agent", "account": account}


def erase_person(identifiers: Collection[str], *, anonymise: bool) -> Done:
    """Delete what is about a person, or let it stay under one fresh pseudonym.

    States and profiles are deleted, or go over to the pseudonym. Sessions of launched content end,
    and refused requests that name the person are forgotten.
    """
    done, nobody = Done(), pseudonym()
    summaries.count_all()
    while rows := _next_rows(identifiers):
        gone = [row.id for row in rows if row.is_own and (not anonymise or _is_signed(row))]
        deleted = set(gone)
        done.deleted += delete_statements(gone)
        for row in rows:
            if row.id not in deleted and _rename(row, identifiers, nobody):
                done.changed += 1
    for one in identifiers:
        if anonymise:
            done.documents += _rename_documents(one, agent_key(nobody) or "")
        else:
            done.documents += forget_documents_about(one)
    _forget_traces(identifiers)
    db.session.flush()
    return done


def _next_rows(identifiers: Collection[str], size: int = 500) -> Sequence[Any]:
    return db.session.execute(
        select(
            StoredStatement.id,
            StoredStatement.statement_id,
            StoredStatement.document,
            _is_own(identifiers).label("is_own"),
        )
        .where(StoredStatement.id.in_(_naming(identifiers)))
        .order_by(StoredStatement.id)
        .limit(size)
    ).all()


def _is_signed(row: Any) -> bool:
    """Whether a signature, which cannot be changed, says who the person is."""
    return SIGNATURE in row.document


def _rename(row: Any, identifiers: Collection[str], nobody: dict[str, Any]) -> bool:
    """Put the pseudonym in the person's place; whether the statement itself named the person.

    One that was found through what it refers to is not found there any more.
    """
    before = read_one(row.document).value
    text = edited(row.document, _edits(row.document, identifiers, nobody))
    if row.is_own:
        text = edited(text, _free_text(text))
    after = read_one(text).value
    old = [lookup_key(by, one) for by in (By.AGENT, By.RELATED_AGENT) for one in identifiers]
    _remove_keys(old, row.id)
    added = lookup_keys(after) - lookup_keys(before)
    insert_rows(
        "xapi_statement_keys", KEY_COLUMNS, [(key, row.id) for key in added], is_known_fine=True
    )
    if text == row.document:
        return False
    db.session.execute(
        update(StoredStatement)
        .where(StoredStatement.id == row.id)
        .values(
            document=text,
            actor_key=agent_key(after["actor"]) or "group:anonymous",
            object_key=object_key(after["object"]),
        )
        .execution_options(synchronize_session=False)
    )
    return True


def _edits(document: str, identifiers: Collection[str], nobody: dict[str, Any]) -> list[Edit]:
    """Where a statement's text names the person, and what stands there instead."""
    found: list[Edit] = []

    def walk(value: Any, begin: int, end: int) -> None:
        if isinstance(value, list):
            for item, (first, last) in zip(value, elements(document, begin), strict=True):
                walk(item, first, last)
        elif isinstance(value, dict):
            if agent_key(value) in identifiers:
                found.append((begin, end, dumps(nobody)))
                return
            for name, first, last in members(document, begin):
                if name not in ("extensions", "definition", "display"):
                    walk(value[name], first, last)

    walk(read_one(document).value, 0, len(document))
    return found


def _free_text(document: str) -> list[Edit]:
    """Blank the response, unless it was chosen from what was offered: people write names."""
    statement = read_one(document).value
    if not statement.get("result", {}).get("response"):
        return []
    if statement["object"].get("definition", {}).get("interactionType") in _CHOSEN:
        return []
    for name, begin, _end in members(document):
        if name == "result":
            for inner, first, last in members(document, begin):
                if inner == "response":
                    return [(first, last, '""')]
    return []


def _rename_documents(identifier: str, new: str) -> int:
    rows = db.session.scalars(
        select(StoredDocument).where(StoredDocument.agent_digest == digest(identifier))
    ).all()
    for row in rows:
        place = DocumentPlace(row.kind, row.activity, new, row.registration)  # type: ignore[arg-type]
        row.agent_key, row.agent_digest = new, digest(new)
        row.place, row.key = place.digest, place.key(row.name)
    db.session.flush()
    return len(rows)


def _forget_traces(identifiers: Iterable[str]) -> None:
    """Sessions of launched content, and refused requests that name the person."""
    for one in identifiers:
        kind, _colon, value = one.partition(":")
        part = value.rpartition("|")[2] if kind == "account" else value
        db.session.execute(
            delete(RefusedRequest).where(
                or_(
                    RefusedRequest.body.contains(part, autoescape=True),
                    RefusedRequest.address.contains(part, autoescape=True),
                    RefusedRequest.address.contains(quote(part), autoescape=True),
                )
            )
        )
        for session in db.session.scalars(select(LaunchSession)):
            if agent_key(session.actor) == one:
                db.session.delete(session)


def still_named(identifiers: Collection[str]) -> int:
    """How many statements are still found by the person; 0 after an erasure."""
    keys = [lookup_key(by, one) for by in (By.AGENT, By.RELATED_AGENT) for one in identifiers]
    return len(rows_in("statement_pk", "xapi_statement_keys", "key", int, keys))
