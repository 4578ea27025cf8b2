"""Many rows at once: executemany on SQLite, COPY on PostgreSQL, past the ORM and its checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Table, text

BATCH = 20_000  # rows held in memory

Row = Mapping[str, Any]


def load(connection: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Write rows into a table; columns that a row leaves out get the model's defaults.

    Every row must have the keys of the first one. Returns how many were written.
    """
    if not connection.in_transaction():  # else SQLite would commit each row by itself
        connection.begin()
    stream = iter(rows)
    first = next(stream, None)
    if first is None:
        return 0
    columns = [c for c in table.columns if c.name in first or _has_default(c)]
    makers = [_maker(connection, column, column.name in first) for column in columns]
    is_sqlite = connection.dialect.name == "sqlite"
    write = _write_sqlite if is_sqlite else _copy
    rest = chain([first], stream)
    if all(isinstance(make, itemgetter) for make in makers) and len(columns) > 1:
        values: Iterator[tuple[Any, ...]] = map(itemgetter(*(c.name for c in columns)), rest)
    else:
        values = (tuple([make(row) for make in makers]) for row in rest)
    return write(connection, table, [column.name for column in columns], values)


def _has_default(column: Column[Any]) -> bool:
    return column.default is not None or _is_version(column)


def _is_version(column: Column[Any]) -> bool:
    return column.name == "version"


def _maker(connection: Connection, column: Column[Any], is_given: bool) -> Callable[[Row], Any]:
    """What gives the value of a column for the driver, from a row."""
    dialect = connection.dialect
    find: Any = column.type.dialect_impl(dialect).bind_processor
    process = find(dialect)
    name = column.name
    if is_given:
        return (lambda row: process(row[name])) if process else itemgetter(name)
    if column.default is None:
        return lambda row: 1  # the first version
    default: Any = column.default
    if default.is_callable:
        return lambda row: process(default.arg(None)) if process else default.arg(None)
    constant = process(default.arg) if process else default.arg
    return lambda row: constant


def _write_sqlite(
    connection: Connection, table: Table, columns: list[str], values: Iterator[tuple[Any, ...]]
) -> int:
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'
    cursor = connection.connection.cursor()
    count = 0
    while batch := list(islice(values, BATCH)):
        cursor.executemany(statement, batch)
        count += len(batch)
    return count


def _copy(
    connection: Connection, table: Table, columns: list[str], values: Iterator[tuple[Any, ...]]
) -> int:
    names = ", ".join(f'"{name}"' for name in columns)
    cursor: Any = connection.connection.cursor()
    count = 0
    with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in values:
            copy.write_row(row)
            count += 1
    if "id" in columns:
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"
            f' (SELECT max(id) FROM "{table.name}"))'
        )
    return count


def prepare(connection: Connection) -> None:
    """Trade safety for speed on this connection, which must be thrown away afterwards.

    Rows may come before those they refer to, and SQLite neither waits for the disk nor spares
    memory.
    """
    if connection.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        for pragma in ("foreign_keys=off", "synchronous=off", "cache_size=-2000000"):
            cursor.execute(f"PRAGMA {pragma}")
    else:
        connection.execute(text("SET session_replication_role = replica"))
