"""Where tries are counted without Redis: a SQLite file that all processes of a machine share."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from limits.storage import MovingWindowSupport, Storage

_TABLE = """
CREATE TABLE IF NOT EXISTS tries (key TEXT NOT NULL, at REAL NOT NULL, until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS tries_key ON tries (key, at);
CREATE INDEX IF NOT EXISTS tries_until ON tries (until);
"""


class FileStorage(Storage, MovingWindowSupport):
    """Counts for `limits`, at the address `tries:///path/of/the/file`. Times are seconds."""

    STORAGE_SCHEME = ["tries"]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: object) -> None:
        super().__init__(uri, wrap_exceptions)
        self._path = unquote(urlsplit(uri).path)
        self._local = threading.local()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the file may raise."""
        return sqlite3.Error

    def _connection(self) -> sqlite3.Connection:
        process = os.getpid()
        if getattr(self._local, "process", None) != process:
            connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            connection.execute("pragma journal_mode=wal")
            connection.execute("pragma synchronous=off")  # a power cut may forget some tries
            connection.executescript(_TABLE)
            self._local.connection, self._local.process = connection, process
        found: sqlite3.Connection = self._local.connection
        return found

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("begin immediate")
        try:
            yield connection
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Note so many tries if the last `expiry` seconds have room for them."""
        now = time.time()
        with self._writing() as connection:
            connection.execute("DELETE FROM tries WHERE until < ?", (now,))
            if _count(connection, key, now - expiry)[1] + amount > limit:
                return False
            connection.executemany(
                "INSERT INTO tries VALUES (?, ?, ?)", [(key, now, now + expiry)] * amount
            )
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest try of the last `expiry` seconds was, and how many they were."""
        now = time.time()
        oldest, count = _count(self._connection(), key, now - expiry)
        return oldest or now, count

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Note so many tries; how many are counted now."""
        now = time.time()
        with self._writing() as connection:
            connection.executemany(
                "INSERT INTO tries VALUES (?, ?, ?)", [(key, now, now + expiry)] * amount
            )
        return self.get(key)

    def get(self, key: str) -> int:
        """How many tries are counted now."""
        statement = "SELECT count(*) FROM tries WHERE key = ? AND until >= ?"
        return int(self._connection().execute(statement, (key, time.time())).fetchone()[0])

    def get_expiry(self, key: str) -> float:
        """When the last of the tries is forgotten."""
        statement = "SELECT max(until) FROM tries WHERE key = ?"
        return float(self._connection().execute(statement, (key,)).fetchone()[0] or time.time())

    def check(self) -> bool:
        """Whether the file can be read."""
        self.get("")
        return True

    def reset(self) -> int:
        """Forget all tries; how many there were."""
        return self._connection().execute("DELETE FROM tries").rowcount

    def clear(self, key: str) -> None:
        """Forget the tries of one key."""
        self._connection().execute("DELETE FROM tries WHERE key = ?", (key,))


def _count(connection: sqlite3.Connection, key: str, since: float) -> tuple[float | None, int]:
    """When the first try after `since` was, and how many there were."""
    statement = "SELECT min(at), count(*) FROM tries WHERE key = ? AND at > ?"
    oldest, count = connection.execute(statement, (key, since)).fetchone()
    return oldest, int(count)
