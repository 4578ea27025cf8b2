"""Several writers of one document at once: one wins, and nothing that was merged is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import orjson
from flask import Flask

from lms.core.db import transaction
from lms.core.errors import DomainError
from lms.xapi.errors import PreconditionFailed
from lms.xapi.models.documents import DocumentKind
from lms.xapi.services.documents import (
    DocumentPlace,
    Preconditions,
    SentDocument,
    find_document,
    post_document,
    put_document,
)

WRITERS = 6
PLACE = DocumentPlace(DocumentKind.AGENT_PROFILE, agent_key="mbox:mailto:ana@example.org")


def _at_once(site: Flask, write: Callable[[int], object]) -> list[type[DomainError] | None]:
    """What each writer was told, when all begin together."""
    line = threading.Barrier(WRITERS)

    def one(number: int) -> type[DomainError] | None:
        with site.app_context():
            line.wait(20)
            try:
                with transaction():
                    write(number)
            except DomainError as error:
                return type(error)
        return None

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(one, range(WRITERS)))


def _put(number: int, **preconditions: str) -> None:
    sent = SentDocument(orjson.dumps({"by": number}), "application/json")
    tags = {name: frozenset((tag,)) for name, tag in preconditions.items()}
    put_document(PLACE, "p", sent, Preconditions(**tags), key_id=None)


def _kept(site: Flask) -> tuple[object, str]:
    with site.app_context(), transaction(write=False):
        document = find_document(PLACE, "p")
        assert document is not None
        return orjson.loads(document.content), document.sha1


def test_one_of_them_makes_it_and_one_of_them_changes_it(site):
    told = _at_once(site, lambda number: _put(number, if_none_match="*"))
    assert sorted(told, key=str) == [PreconditionFailed] * (WRITERS - 1) + [None]
    content, seen = _kept(site)
    assert content == {"by": told.index(None)}

    told = _at_once(site, lambda number: _put(number + 10, if_match=seen))
    assert sorted(told, key=str) == [PreconditionFailed] * (WRITERS - 1) + [None]
    assert _kept(site)[0] == {"by": told.index(None) + 10}


def test_what_all_of_them_merge_is_there(site):
    def merge(number: int) -> None:
        sent = SentDocument(orjson.dumps({str(number): number}), "application/json")
        post_document(PLACE, "p", sent, Preconditions(), key_id=None, most_bytes=1000)

    assert _at_once(site, merge) == [None] * WRITERS
    assert _kept(site)[0] == {str(number): number for number in range(WRITERS)}
