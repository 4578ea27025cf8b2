"""Many rows at once: written and asked for with one statement, whatever their number.

Names of tables and columns are written in the code that calls; values always travel apart.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from lms.core.db import db

_CASTS = {
    int: "bigint",
    str: "text",
    bool: "boolean",
    uuid.UUID: "uuid",
    datetime: "timestamptz",
}


def _connection() -> tuple[Connection, bool]:
    connection = db.session.connection()
    return connection, connection.dialect.name == "postgresql"


def _for_sqlite(value: Any) -> Any:
    """A value as the column types of `core.db` keep it in SQLite."""
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


def insert_rows(
    table: str,
    columns: Mapping[str, type],
    rows: Sequence[tuple[Any, ...]],
    *,
    is_known_fine: bool = False,
) -> None:
    """Insert rows; the columns are given with the Python types of their values, times in UTC.

    is_known_fine: pass over rows whose key is there already.
    """
    if not rows:
        return
    connection, is_postgresql = _connection()
    names = ", ".join(columns)
    ending = " ON CONFLICT DO NOTHING" if is_known_fine else ""
    if is_postgresql:
        places = ", ".join(f"%s::{_CASTS[kind]}[]" for kind in columns.values())
        query = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({places}){ending}"  # noqa: S608
        connection.exec_driver_sql(query, tuple(map(list, zip(*rows, strict=True))))
        return
    places = ", ".join("?" * len(columns))
    query = f"INSERT INTO {table} ({names}) VALUES ({places}){ending}"  # noqa: S608
    if any(kind in (uuid.UUID, datetime) for kind in columns.values()):
        rows = [tuple(map(_for_sqlite, row)) for row in rows]
    connection.exec_driver_sql(query, list(rows))


def rows_in(
    columns: str, table: str, column: str, kind: type, values: Iterable[Any]
) -> Sequence[tuple[Any, ...]]:
    """The columns of rows whose `column` is one of the values."""
    wanted = list(values)
    if not wanted:
        return []
    connection, is_postgresql = _connection()
    if is_postgresql:
        one_of = f"ANY(%s::{_CASTS[kind]}[])"
        query = f"SELECT {columns} FROM {table} WHERE {column} = {one_of}"  # noqa: S608
        return [tuple(row) for row in connection.exec_driver_sql(query, (wanted,))]
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(wanted), 500):
        part = tuple(map(_for_sqlite, wanted[start : start + 500]))
        one_of = ",".join("?" * len(part))
        query = f"SELECT {columns} FROM {table} WHERE {column} IN ({one_of})"  # noqa: S608
        found += [tuple(row) for row in connection.exec_driver_sql(query, part)]
    return found


def run_one(query: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The only row that a statement gives, if any. Values stand in it as question marks."""
    connection, is_postgresql = _connection()
    row = connection.exec_driver_sql(
        query.replace("?", "%s") if is_postgresql else query, values
    ).one_or_none()
    return tuple(row) if row is not None else None
