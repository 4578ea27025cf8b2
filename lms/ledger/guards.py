"""What the database itself refuses, whoever asks.

- An entry is committed only with its seal: its own key is a deferred foreign key to the seal.
- A seal is set only on postings that sum to zero in each currency.
- Sealed entries take no further posting; nothing is changed or deleted.
- A closed month takes no entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, MetaData, Table, event, text

KEPT = ("ledger_entries", "ledger_postings", "ledger_seals", "ledger_periods")

_UNBALANCED = """NOT EXISTS (SELECT 1 FROM ledger_postings WHERE entry_id = NEW.entry_id)
 OR EXISTS (SELECT 1 FROM ledger_postings WHERE entry_id = NEW.entry_id
 GROUP BY currency HAVING SUM(amount_minor) <> 0)"""
_SEALED = "EXISTS (SELECT 1 FROM ledger_seals WHERE entry_id = NEW.entry_id)"
_CLOSED = "EXISTS (SELECT 1 FROM ledger_periods WHERE month >= NEW.month)"

# table, name, condition, message
_INSERTS = (
    ("ledger_seals", "ledger_balances", _UNBALANCED, "the postings of an entry sum to zero"),
    ("ledger_postings", "ledger_is_sealed", _SEALED, "a sealed entry takes no further posting"),
    ("ledger_entries", "ledger_month_is_open", _CLOSED, "a closed month takes no entry"),
)


def sqlite_guards() -> list[str]:
    """The triggers for SQLite."""
    guards = [
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, 'ledger: {message}'); END"
        for table, name, condition, message in _INSERTS
    ]
    for table in KEPT:
        for act in ("UPDATE", "DELETE"):
            guards.append(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, 'ledger: nothing is ever changed'); END"
            )
    return guards


def postgresql_guards() -> list[str]:
    """The functions and triggers for PostgreSQL."""
    guards = [
        "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'ledger: nothing is ever changed'"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ]
    for table, name, condition, message in _INSERTS:
        guards.append(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN IF {condition} THEN RAISE EXCEPTION 'ledger: {message}'"
            f" USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
        )
        guards.append(
            f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    for table in KEPT:
        guards.append(
            f"CREATE TRIGGER {table}_are_kept BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
    return guards


def postgresql_functions() -> tuple[str, ...]:
    """Names of the functions, to be dropped with the tables."""
    return ("ledger_refuse", *(name for _table, name, _condition, _message in _INSERTS))


def guard_when_created(metadata: MetaData) -> None:
    """Set the guards also where tables are made from the models, as in tests."""

    def guard(target: Any, connection: Connection, tables: Sequence[Table], **rest: Any) -> None:
        if any(table.name == KEPT[0] for table in tables):
            is_sqlite = connection.dialect.name == "sqlite"
            for statement in sqlite_guards() if is_sqlite else postgresql_guards():
                connection.execute(text(statement))

    event.listen(metadata, "after_create", guard)
