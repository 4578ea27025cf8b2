"""Attachments: bytes that come with statements, kept once, given back with them (2.4.11)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lms.core import clock
from lms.core.files import file_store
from lms.xapi.errors import StatementRefused
from lms.xapi.services.rows import insert_rows, rows_in
from lms.xapi.services.signatures import SIGNATURE, check_signature

MOST_ATTACHMENTS = 100  # in one request
_HASHES = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}


@dataclass(frozen=True)
class Part:
    """A part of a multipart body. where: which one, for messages. sha2: as sent, small letters."""

    where: str
    sha2: str
    content_type: str
    content: bytes


def hash_of(sha2: str) -> Any:
    """A fresh hash of the kind that gives digests of this length."""
    return _HASHES[len(sha2)]()


def attachments_of(statement: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The attachments that a statement names, with their paths; those of a substatement too."""
    for index, one in enumerate(statement.get("attachments", ())):
        yield f"statement.attachments[{index}]", one
    thing = statement["object"]
    if thing.get("objectType") == "SubStatement":
        for index, one in enumerate(thing.get("attachments", ())):
            yield f"statement.object.attachments[{index}]", one


def check_parts(statements: Sequence[Mapping[str, Any]], parts: Sequence[Part]) -> dict[str, bytes]:
    """The bytes of attachments by hash, when parts and valid statements fit together.

    Raises StatementRefused for a hash that is wrong, a part that no statement names, an attachment
    with neither part nor fileUrl, and a signature that does not hold.
    """
    contents: dict[str, bytes] = {}
    for part in parts:
        make = _HASHES.get(len(part.sha2))
        if make is None or make(part.content).hexdigest() != part.sha2:
            raise StatementRefused(part.where, "has another hash than X-Experience-API-Hash says")
        contents[part.sha2] = part.content
    named: set[str] = set()
    for index, statement in enumerate(statements):
        for path, attachment in attachments_of(statement):
            sha2 = attachment["sha2"].lower()
            named.add(sha2)
            if len(named) > MOST_ATTACHMENTS:
                raise StatementRefused(path, f"is one of more than {MOST_ATTACHMENTS}", index)
            content = contents.get(sha2)
            if content is None and "fileUrl" not in attachment:
                raise StatementRefused(f"{path}.sha2", "has no part in the body", index)
            if content is not None and attachment["usageType"] == SIGNATURE:
                check_signature(statement, attachment, content, path, index)
    for part in parts:
        if part.sha2 not in named:
            raise StatementRefused(part.where, "is an attachment that no statement names")
    return contents


def keep_attachments(
    contents: Mapping[str, bytes], uses: Sequence[tuple[Mapping[str, Any], int]]
) -> None:
    """Keep bytes, each once, and which statements name them. uses: with their primary keys."""
    known = {sha2 for (sha2,) in rows_in("sha2", "xapi_attachments", "sha2", str, contents)}
    store = file_store()
    rows = []
    for sha2, content in contents.items():
        if sha2 in known:
            continue
        path = f"xapi/{sha2[:2]}/{sha2}"
        store.write(path, content)  # the same bytes, should it be there already
        rows.append((sha2, path, len(content), clock.now()))
    insert_rows(
        "xapi_attachments",
        {"sha2": str, "path": str, "size": int, "kept_at": datetime},
        rows,
        is_known_fine=True,
    )
    insert_rows(
        "xapi_attachment_uses",
        {"statement_pk": int, "sha2": str},
        [
            (primary_key, attachment["sha2"].lower())
            for statement, primary_key in uses
            for _path, attachment in attachments_of(statement)
            if attachment["sha2"].lower() in contents
        ],
        is_known_fine=True,
    )


def kept_parts(documents: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
    """Hash, content type and bytes of what is kept for statements (JSON texts), each once."""
    types: dict[str, str] = {}
    for document in documents:
        if '"attachments"' not in document:
            continue
        for _path, attachment in attachments_of(json.loads(document)):
            types.setdefault(attachment["sha2"].lower(), attachment["contentType"])
    rows = rows_in("sha2, path", "xapi_attachments", "sha2", str, types)
    paths: dict[str, str] = dict(rows)
    store = file_store()
    for sha2, content_type in types.items():
        if sha2 in paths:
            yield sha2, content_type, store.read(paths[sha2])
