"""What statements are found by, worked out anew from the statements themselves.

For stores whose entries were written by earlier versions, or from which the ends of chains were
erased. Afterwards the entries are those that storing all statements afresh would give.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, select

from lms.core.db import db
from lms.xapi.lookup import By, lookup_key, lookup_keys, reference_of
from lms.xapi.models import StatementKey, StoredStatement, StoreOrder
from lms.xapi.services.chains import KEY_COLUMNS, Link, inherit
from lms.xapi.services.rows import insert_rows, rows_in

WINDOW = 50_000  # primary keys that are compared at once: the entries of all are read for it
_AT_ONCE = 500  # statements held in memory

Entry = tuple[int, int]  # number, primary key of the statement


@dataclass
class Differences:
    """What is wrong with the entries of some statements."""

    statements: int = 0
    missing: list[Entry] = field(default_factory=list)
    surplus: list[Entry] = field(default_factory=list)


def compare(after: int, up_to: int) -> Differences:
    """Compare the entries of statements with these primary keys with what they should be."""
    kept: dict[int, set[int]] = defaultdict(set)
    entries = select(StatementKey.key, StatementKey.statement_pk).where(
        StatementKey.statement_pk > after, StatementKey.statement_pk <= up_to
    )
    for key, primary_key in db.session.execute(entries.execution_options(yield_per=5_000)):
        kept[primary_key].add(key)
    found = Differences()
    for rows in _documents(after, up_to):
        found.statements += len(rows)
        for primary_key, keys in _entries(rows).items():
            present = kept.pop(primary_key, set())
            found.missing += [(key, primary_key) for key in keys - present]
            found.surplus += [(key, primary_key) for key in present - keys]
    for primary_key, keys in kept.items():  # of statements that are no more
        found.surplus += [(key, primary_key) for key in keys]
    return found


def mend(differences: Differences) -> Iterator[int]:
    """Mend entries, those of a few hundred statements with each step.

    Each step is to be a transaction of its own; yields how many entries it changed. Writers of
    statements wait for it, and what they changed since the comparison stays.
    """
    missing, surplus = _by_statement(differences.missing), _by_statement(differences.surplus)
    wrong = sorted(missing.keys() | surplus.keys())
    for start in range(0, len(wrong), _AT_ONCE):
        part = wrong[start : start + _AT_ONCE]
        db.session.execute(select(StoreOrder).with_for_update())
        right = _entries(rows_in("id, document", "xapi_statements", "id", int, part))
        added = [(key, one) for one in part for key in missing[one] & right.get(one, set())]
        removed = [(key, one) for one in part for key in surplus[one] - right.get(one, set())]
        insert_rows("xapi_statement_keys", KEY_COLUMNS, added, is_known_fine=True)
        _delete(removed)
        yield len(added) + len(removed)


def _by_statement(entries: Sequence[Entry]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for key, primary_key in entries:
        found[primary_key].add(key)
    return found


def _documents(after: int, up_to: int) -> Iterator[Sequence[tuple[int, str]]]:
    while True:
        rows = db.session.execute(
            select(StoredStatement.id, StoredStatement.document)
            .where(StoredStatement.id > after, StoredStatement.id <= up_to)
            .order_by(StoredStatement.id)
            .limit(_AT_ONCE)
        ).all()
        if not rows:
            return
        after = rows[-1].id
        yield [(row.id, row.document) for row in rows]


def _entries(rows: Sequence[tuple[Any, ...]]) -> dict[int, set[int]]:
    """By primary key: the numbers under which statements are found, chains included."""
    names: dict[str, int] = {}
    links: dict[str, Link] = {}
    for primary_key, document in rows:
        statement = json.loads(document)
        name = statement["id"].lower()
        names[name] = primary_key
        links[name] = Link(lookup_keys(statement), reference_of(statement))
    inherit(links)
    for link in links.values():
        if link.reference:
            link.keys.add(lookup_key(By.REFERENCE, link.reference))
    return {names[name]: link.keys for name, link in links.items()}


def _delete(entries: Sequence[Entry]) -> None:
    if entries:
        table: Any = StatementKey.__table__
        gone = delete(table).where(
            table.c.key == bindparam("number"), table.c.statement_pk == bindparam("statement")
        )
        values = [{"number": key, "statement": primary_key} for key, primary_key in entries]
        db.session.connection().execute(gone, values)
