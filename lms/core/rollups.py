"""Sums that are made anew group by group, and are never trusted beyond what they hold.

A room that keeps sums of many rows divides them into groups, such as course runs. A trigger of the
database notes each group in which something changed, in the same transaction: a mark. Reports take
the sums of groups without a mark and read the rows of the others, so they are exact at any moment.
A job takes the marks away and makes the sums of their groups anew: a change that is committed later
leaves a mark of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    delete,
    event,
    false,
    func,
    insert,
    select,
    text,
)

from lms.core.db import db, transaction

Rows: TypeAlias = Select[*tuple[Any, ...]]
Reader: TypeAlias = Callable[[Sequence[int]], Rows]
FILLED_BY_TRIGGERS = "filled_by_triggers"  # in the info of the tables of marks
AT_ONCE = 200  # groups that are counted in one transaction


@dataclass(frozen=True)
class Watched:
    """A change of a row that touches groups.

    act: "INSERT", "DELETE" or "UPDATE OF a, b". groups: SQL that selects the groups, by NEW and
    OLD. when: an SQL condition on them, empty for always.
    """

    name: str
    table: str
    act: str
    groups: str
    when: str = "1 = 1"


def make_triggers(is_sqlite: bool, marks: str, watched: Sequence[Watched]) -> list[str]:
    """The statements that make the triggers. marks: the table, with an id and a `run_id`."""
    made = []
    for one in watched:
        note = f"INSERT INTO {marks} (run_id) {one.groups};"
        if is_sqlite:
            made.append(
                f"CREATE TRIGGER {one.name} AFTER {one.act} ON {one.table} WHEN {one.when}"
                f" BEGIN {note} END"
            )
            continue
        made.append(
            f"CREATE FUNCTION {one.name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {note} RETURN NULL; END $$"
        )
        made.append(
            f"CREATE TRIGGER {one.name} AFTER {one.act} ON {one.table} FOR EACH ROW"
            f" WHEN ({one.when}) EXECUTE FUNCTION {one.name}()"
        )
    return made


def drop_triggers(is_sqlite: bool, watched: Sequence[Watched]) -> list[str]:
    """The statements that take them away, with their functions."""
    dropped = []
    for one in watched:
        if is_sqlite:
            dropped.append(f"DROP TRIGGER {one.name}")
        else:
            dropped += [f"DROP TRIGGER {one.name} ON {one.table}", f"DROP FUNCTION {one.name}()"]
    return dropped


def watch_when_created(metadata: MetaData, marks: str, watched: Sequence[Watched]) -> None:
    """Make the triggers also where tables are made from the models, as in tests."""

    def watch(target: Any, connection: Connection, tables: Sequence[Table], **rest: Any) -> None:
        if any(table.name == marks for table in tables):
            for statement in make_triggers(connection.dialect.name == "sqlite", marks, watched):
                connection.execute(text(statement))

    event.listen(metadata, "after_create", watch)


def recount(marks: Any, sums: Any, columns: Sequence[str], read: Reader) -> int:
    """Make the sums of some marked groups anew; how many groups.

    marks, sums: the models of the tables. columns: of the sums, as `read` selects them for groups.
    The marks go first: a change whose mark is seen is seen when the rows are read, and one that is
    committed later leaves a mark.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock(func.hashtext(marks.__tablename__))
        db.session.execute(select(lock))  # two that count at once never count the same
    groups = select(marks.run_id).distinct().order_by(marks.run_id).limit(AT_ONCE)
    found = db.session.scalars(groups).all()
    if found:
        db.session.execute(delete(marks).where(marks.run_id.in_(found)))
        db.session.execute(delete(sums).where(sums.run_id.in_(found)))
        db.session.execute(insert(sums).from_select(list(columns), read(found)))
    return len(found)


def recount_all(some: Callable[[], int]) -> None:
    """Let `some` recount until nothing is left, a transaction for each time."""
    while True:
        with transaction():
            if some() < AT_ONCE:
                return


def marked_runs(marks: Any) -> Sequence[int]:
    """The groups that have a mark, from a query of its own: few, so that an index finds them."""
    return db.session.scalars(select(marks.run_id).distinct()).all()


def within(
    at: ColumnElement[Any], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    """The conditions that an instant lies in a period; None is open, `until` is excluded."""
    found = [at >= since] if since is not None else []
    return found + ([at < until] if until is not None else [])


def signed(rows: Rows, by: Sequence[str], measures: Sequence[str], sign: int) -> Rows:
    """Single rows as lines to be added to sums or taken off them: dimensions and measures."""
    columns = rows.selected_columns
    return rows.with_only_columns(
        *(columns[name] for name in by),
        *((columns[name] * sign).label(name) for name in measures),
        maintain_column_froms=True,
    )


@dataclass(frozen=True)
class Edge:
    """Instants of a month that is cut. sign: 1 to be added, -1 to be taken off its whole month."""

    since: datetime
    until: datetime  # excluded
    sign: int


@dataclass(frozen=True)
class Span:
    """A period as whole months in UTC, "2027-02", both included, and what is to be mended.

    first, last: None is open; has_months: whether there are any.
    """

    first: str | None
    last: str | None
    has_months: bool
    edges: tuple[Edge, ...]

    def months(self, month: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions that a month of the sums is one of the whole ones."""
        if not self.has_months:
            return [false()]
        found = [month >= self.first] if self.first else []
        return found + ([month <= self.last] if self.last else [])


def split_months(since: datetime | None, until: datetime | None) -> Span:
    """Divide the instants from `since` to before `until`; None is open.

    A month that is cut counts as a whole, less its smaller part, when most of it is wanted.
    """
    first, edges = None, []
    if since is not None:
        first, following = _month_of(since)
        if since - first < following - since:
            edges.append(Edge(first, since, -1))
        else:
            edges.append(Edge(since, following, 1))
            first = following
    end = None
    if until is not None:
        end, following = _month_of(until)
        if until - end < following - until:
            edges.append(Edge(end, until, 1))
        else:
            edges.append(Edge(until, following, -1))
            end = following
    return Span(
        f"{first:%Y-%m}" if first else None,
        f"{end - timedelta(days=1):%Y-%m}" if end else None,
        not (first and end and first >= end),
        tuple(edge for edge in edges if edge.since < edge.until),
    )


def _month_of(at: datetime) -> tuple[datetime, datetime]:
    """The month of an instant in UTC: its beginning, and that of the following one."""
    begin = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begin, (begin + timedelta(days=31)).replace(day=1)


def month_in_utc(at: ColumnElement[Any]) -> ColumnElement[str]:
    """The month of an instant as a column of SQL: "2027-02"."""
    if db.session.get_bind().dialect.name == "sqlite":
        return func.substr(at, 1, 7, type_=String)
    return func.to_char(func.timezone("UTC", at), "YYYY-MM", type_=String)
