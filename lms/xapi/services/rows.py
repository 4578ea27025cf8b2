"""Many rows at once: written and asked for with one statement, whatever their number.

Goes past SQLAlchemy to its driver, in the transaction of the session. Names of tables and columns
are written in the code that calls; values always travel apart.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy.exc import DBAPIError

from lms.core.db import db
from lms.core.settings import settings

Row: TypeAlias = tuple[Any, ...]

_FEW = 20  # rows that PostgreSQL takes sooner by INSERT than by COPY
_MOST_VALUES = 10_000  # in one query; SQLite takes 32,766
_CASTS = {
    int: "bigint",
    str: "text",
    bool: "boolean",
    uuid.UUID: "uuid",
    datetime: "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, its values marked by `?`, that may be run together with others.

    values: for one run; many: for one run each.
    """

    text: str
    values: Row = ()
    many: Sequence[Row] | None = None


@contextmanager
def _driver(texts: Iterable[str]) -> Iterator[tuple[Any, bool]]:
    """The driver's connection, and whether it is PostgreSQL's; raises SQLAlchemy's errors.

    texts: of the statements to be run, for those who count what SQLAlchemy runs.
    """
    connection = db.session.connection()
    for hear in connection.dispatch.before_cursor_execute:
        for text in texts:
            hear(connection, None, text, (), None, False)
    try:
        yield connection.connection.driver_connection, _is_postgresql()
    except connection.dialect.loaded_dbapi.Error as error:
        kind = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(
            None, None, error, kind, hide_parameters=True, dialect=connection.dialect
        ) from error


def _is_postgresql() -> bool:
    return not settings().is_sqlite


def run(queries: Sequence[Query]) -> list[list[Row]]:
    """Run queries of which none needs what another gives; the rows of each.

    On PostgreSQL they travel together, so that all of them cost the time of one.
    """
    with _driver([query.text for query in queries]) as (connection, is_postgresql):
        if not is_postgresql:
            return [_run_on_sqlite(connection, query) for query in queries]
        if len(queries) == 1:
            return [_fetched(_sent(connection, queries[0]))]
        with connection.pipeline():
            cursors = [_sent(connection, query) for query in queries]
        return [_fetched(cursor) for cursor in cursors]


def _run_on_sqlite(connection: Any, query: Query) -> list[Row]:
    if query.many is not None:
        connection.executemany(query.text, query.many)
        return []
    found: list[Row] = connection.execute(query.text, query.values).fetchall()
    return found


def _sent(connection: Any, query: Query) -> Any:
    return connection.execute(query.text.replace("?", "%s"), query.values)


def _fetched(cursor: Any) -> list[Row]:
    return cursor.fetchall() if cursor.description is not None else []


def _for_sqlite(value: Any) -> Any:
    """A value as the column types of `core.db` keep it in SQLite."""
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


def insertion(
    table: str,
    columns: Mapping[str, type],
    rows: Sequence[Row],
    *,
    is_known_fine: bool = False,
) -> Query:
    """What inserts some rows; the columns come with the types of their values, times in UTC.

    is_known_fine: pass over rows whose key is there already.
    """
    names = ", ".join(columns)
    ending = " ON CONFLICT DO NOTHING" if is_known_fine else ""
    if _is_postgresql():
        places = ", ".join(f"?::{_CASTS[kind]}[]" for kind in columns.values())
        text = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({places}){ending}"  # noqa: S608
        return Query(text, tuple(map(list, zip(*rows, strict=True))))
    places = ", ".join("?" * len(columns))
    if any(kind in (uuid.UUID, datetime) for kind in columns.values()):
        rows = [tuple(map(_for_sqlite, row)) for row in rows]
    return Query(f"INSERT INTO {table} ({names}) VALUES ({places}){ending}", many=rows)  # noqa: S608


def insert_rows(
    table: str,
    columns: Mapping[str, type],
    rows: Sequence[Row],
    *,
    is_known_fine: bool = False,
) -> None:
    """Insert rows: see `insertion`."""
    if len(rows) > _FEW and not is_known_fine and _is_postgresql():
        _copy_rows(table, columns, rows)
    elif rows:
        run([insertion(table, columns, rows, is_known_fine=is_known_fine)])


def insert_together(parts: Iterable[tuple[str, Mapping[str, type], Sequence[Row]]]) -> None:
    """Insert new rows into several tables, each given as for `insert_rows`."""
    few: list[Query] = []
    for table, columns, rows in parts:
        if len(rows) > _FEW:
            insert_rows(table, columns, rows)
        elif rows:
            few.append(insertion(table, columns, rows))
    if few:
        run(few)


def _copy_rows(table: str, columns: Mapping[str, type], rows: Sequence[Row]) -> None:
    """Insert rows by PostgreSQL's COPY: texts need no quoting, and nothing is planned."""
    text = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with _driver([text]) as (connection, _), connection.cursor().copy(text) as copy:
        copy.set_types([_CASTS[kind] for kind in columns.values()])
        for row in rows:
            copy.write_row(row)


def selection(
    columns: str, table: str, column: str, kind: type, values: Iterable[Any]
) -> list[Query]:
    """What asks for the columns of rows whose `column` is one of the values: no query for none."""
    wanted = list(values)
    begin = f"SELECT {columns} FROM {table} WHERE {column}"  # noqa: S608
    if not wanted:
        return []
    if _is_postgresql():
        return [Query(f"{begin} = ANY(?::{_CASTS[kind]}[])", (wanted,))]
    parts = [wanted[at : at + _MOST_VALUES] for at in range(0, len(wanted), _MOST_VALUES)]
    return [
        Query(f"{begin} IN ({','.join('?' * len(part))})", tuple(map(_for_sqlite, part)))
        for part in parts
    ]


def rows_in(
    columns: str, table: str, column: str, kind: type, values: Iterable[Any]
) -> Sequence[Row]:
    """The columns of rows whose `column` is one of the values."""
    queries = selection(columns, table, column, kind, values)
    return [row for rows in run(queries) for row in rows] if queries else []


def run_each(groups: Sequence[Sequence[Query]]) -> list[list[Row]]:
    """Run groups of queries, all of them together; the rows of each group."""
    found = iter(run([query for group in groups for query in group]))
    return [[row for _query in group for row in next(found)] for group in groups]
