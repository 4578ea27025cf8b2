"""Statements about statements: each is also found by all that the one it refers to is found by.

The standard asks for it through chains of any length (1.0.3, part three, 2.1.3), whichever end of a
chain comes first. What is found this way is written down when a statement comes, in both
directions, so that reading knows nothing of chains.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lms.xapi.lookup import By, lookup_key, lookup_keys, reference_of
from lms.xapi.services.rows import Query, insert_rows, rows_in, selection

KEY_COLUMNS = {"key": int, "statement_pk": int}
_MOST_STEPS = 100


@dataclass(slots=True)
class Link:
    """A statement as one of a chain: what it is found by itself, and the id it refers to."""

    keys: set[int]
    reference: str | None


def _read_links(ids: Iterable[str]) -> dict[str, Link]:
    rows = rows_in("document", "xapi_statements", "statement_id", uuid.UUID, map(uuid.UUID, ids))
    found = {}
    for (document,) in rows:
        statement = json.loads(document)
        found[statement["id"].lower()] = Link(lookup_keys(statement), reference_of(statement))
    return found


def inherit(links: Mapping[str, Link]) -> None:
    """Let new statements be found by what they refer to. links: by id, changed in place."""
    known = dict(links)
    missing = {link.reference for link in links.values() if link.reference} - known.keys()
    steps = 0
    while missing and steps < _MOST_STEPS:
        steps += 1
        read = _read_links(missing)
        known |= read
        missing = {link.reference for link in read.values() if link.reference} - known.keys()
    own = {name: set(link.keys) for name, link in links.items() if link.reference}
    for name in own:
        seen, reference = {name}, links[name].reference
        while reference and reference not in seen and reference in known:
            seen.add(reference)
            links[name].keys |= own.get(reference) or known[reference].keys
            reference = known[reference].reference


def waiting_for(ids: Iterable[uuid.UUID]) -> list[Query]:
    """What asks whether statements in the store refer to these, which come only now."""
    names = [lookup_key(By.REFERENCE, str(one)) for one in ids]
    return selection("key, statement_pk", "xapi_statement_keys", "key", int, names)


def pass_on(links: Mapping[str, Link], ids: Iterable[str]) -> None:
    """Let earlier statements, which refer to new ones, be found by what these are found by.

    ids: those of the new statements that somebody may have referred to before they came.
    """
    wave = {name: set(links[name].keys) for name in ids}
    seen: set[tuple[str, str]] = set()
    for _step in range(_MOST_STEPS):
        targets = {lookup_key(By.REFERENCE, name): name for name in wave}
        rows = rows_in(
            "key, statement_pk, statement_id",
            "xapi_statement_keys JOIN xapi_statements ON id = statement_pk",
            "key",
            int,
            targets,
        )
        entries: list[tuple[int, int]] = []
        following: dict[str, set[int]] = {}
        for key, primary_key, statement_id in rows:
            name, target = str(uuid.UUID(str(statement_id))), targets[key]
            if name in links or (name, target) in seen:
                continue  # new ones have inherited already
            seen.add((name, target))
            entries += [(one, primary_key) for one in wave[target]]
            following.setdefault(name, set()).update(wave[target])
        insert_rows("xapi_statement_keys", KEY_COLUMNS, entries, is_known_fine=True)
        if not following:
            return
        wave = following
