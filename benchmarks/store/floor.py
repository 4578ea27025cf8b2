"""The floor: the same JSON texts as bare rows of one table with five indexes, durably committed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.store.made import Made

_COLUMNS = ("statement_id", "actor", "verb", "activity", "registration", "document")
_INDEXED = _COLUMNS[1:5]


def _definitions(key: str) -> list[str]:
    columns = ", ".join(f"{name} text not null" for name in _COLUMNS)
    return [
        f"create table floor (seq {key}, {columns})",
        "create unique index floor_statement_id on floor (statement_id)",
        *(f"create index floor_{name} on floor ({name}, seq)" for name in _INDEXED),
    ]


def _row(made: Made) -> tuple[str, ...]:
    return (
        made.statement_id, made.actor, made.verb, made.activity, made.registration, made.text,
    )  # fmt: skip


class Floor:
    """One connection that inserts rows, a transaction for each batch."""

    def __init__(self, folder: Path, postgresql: str | None) -> None:
        self._connection: Any
        if postgresql is None:
            self._connection = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
            self._connection.execute("pragma journal_mode=wal")
            self._connection.execute("pragma synchronous=full")  # commits that survive a power cut
            key, mark = "integer primary key", "?"
        else:
            self._connection = psycopg.connect(
                postgresql.replace("+psycopg", ""), autocommit=True, prepare_threshold=0
            )
            key, mark = "bigserial primary key", "%s"
        for definition in _definitions(key):
            self._connection.execute(definition)
        marks = ", ".join([mark] * len(_COLUMNS))
        self._insert = f"insert into floor ({', '.join(_COLUMNS)}) values ({marks})"

    def rate(self, made: Sequence[Made], batch: int) -> float:
        """Rows in a second."""
        rows = [_row(one) for one in made]
        cursor = self._connection.cursor()
        started = time.perf_counter()
        for first in range(0, len(rows), batch):
            cursor.execute("begin")
            if batch == 1:
                cursor.execute(self._insert, rows[first])
            else:
                cursor.executemany(self._insert, rows[first : first + batch])
            cursor.execute("commit")
        return len(rows) / (time.perf_counter() - started)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
