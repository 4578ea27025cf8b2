"""Where the stand-in keeps its state: a SQLite file of its own, shared by all processes."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lms.payments.demo_gateway.objects import Thing

_TABLES = """
CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY, body TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL, taken INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS settlements (
    session TEXT PRIMARY KEY, due REAL NOT NULL, succeeds INTEGER NOT NULL);
"""


class Store:
    """Objects by id, answers by idempotency key, messages to deliver, money on its way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect() as connection:
            connection.executescript("PRAGMA journal_mode=WAL;" + _TABLES)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def change(self) -> Iterator[Change]:
        """One writing transaction."""
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Change(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise


class Change:
    """Reads and writes of one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def get(self, key: str) -> Thing | None:
        """The object with this id."""
        row = self.connection.execute("SELECT body FROM things WHERE id = ?", (key,)).fetchone()
        found: Thing | None = json.loads(row[0]) if row else None
        return found

    def put(self, thing: Thing, key: str | None = None) -> Thing:
        """Keep an object under its id."""
        self.connection.execute(
            "INSERT OR REPLACE INTO things VALUES (?, ?)", (key or thing["id"], json.dumps(thing))
        )
        return thing

    def objects(self, prefix: str) -> list[Thing]:
        """Objects whose ids begin with `prefix`, the oldest first."""
        rows = self.connection.execute(
            "SELECT body FROM things WHERE id >= ? AND id < ? AND instr(id, ':') = 0",
            (prefix, f"{prefix}~"),
        ).fetchall()
        found: list[Thing] = [json.loads(row[0]) for row in rows]
        return sorted(found, key=lambda thing: (thing["created"], thing["id"]))

    def answer(self, key: str) -> tuple[str, int, Thing] | None:
        """What was asked and answered under an idempotency key."""
        row = self.connection.execute(
            "SELECT asked, status, body FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return (row[0], row[1], json.loads(row[2])) if row else None

    def keep_answer(self, key: str, asked: str, status: int, body: Thing) -> None:
        """Remember an answer, to be given again."""
        self.connection.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?)", (key, asked, status, json.dumps(body))
        )

    def tell(self, event: Thing) -> None:
        """Let a message be delivered."""
        self.connection.execute(
            "INSERT INTO deliveries (id, body, due) VALUES (?, ?, ?)",
            (event["id"], json.dumps(event), time.time()),
        )

    def claim(self, lease: float) -> tuple[str, str] | None:
        """The oldest message that is due, for this process alone during `lease` seconds."""
        row = self.connection.execute(
            "SELECT id, body FROM deliveries WHERE NOT taken AND due <= ? ORDER BY rowid LIMIT 1",
            (time.time(),),
        ).fetchone()
        if row is None:
            return None
        self.connection.execute(
            "UPDATE deliveries SET tries = tries + 1, due = ? WHERE id = ?",
            (time.time() + lease, row[0]),
        )
        return row[0], row[1]

    def finish(self, key: str, *, taken: bool, longest_pause: float) -> None:
        """Note whether a message was taken; if not it is due again, later each time."""
        self.connection.execute(
            "UPDATE deliveries SET taken = ?, due = ? + min(?, 1 << min(tries, 12)) WHERE id = ?",
            (taken, time.time(), longest_pause, key),
        )

    def waits(self) -> bool:
        """Whether a message or money is still on its way."""
        row = self.connection.execute(
            "SELECT (SELECT count(*) FROM deliveries WHERE NOT taken AND tries < 30)"
            " + (SELECT count(*) FROM settlements)"
        ).fetchone()
        return bool(row[0])

    def settle_later(self, session: str, seconds: float, succeeds: bool) -> None:
        """Let the money of a session arrive, or fail to, after some time."""
        self.connection.execute(
            "INSERT OR REPLACE INTO settlements VALUES (?, ?, ?)",
            (session, time.time() + seconds, succeeds),
        )

    def due_settlements(self, now: float) -> list[tuple[str, bool]]:
        """Sessions whose money arrives or fails now; each is given once."""
        rows = self.connection.execute(
            "DELETE FROM settlements WHERE due <= ? RETURNING session, succeeds", (now,)
        ).fetchall()
        return [(row[0], bool(row[1])) for row in rows]
