"""What the database itself refuses: changing or deleting what was issued, or a tax row's terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, MetaData, Table, event, text

KEPT = ("invoices", "invoice_lines", "invoice_taxes", "invoice_documents")
TERMS = (
    "seller_id", "country", "province", "supply", "buyer", "jurisdiction", "rate", "category",
    "requires", "starts_on",
)  # fmt: skip


def sqlite_guards() -> list[str]:
    """The triggers for SQLite."""
    refuse = "BEGIN SELECT RAISE(ABORT, 'invoicing: what was issued is never changed'); END"
    guards = [
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} {refuse}"
        for table in KEPT
        for act in ("UPDATE", "DELETE")
    ]
    columns = ", ".join(TERMS)
    guards.append(f"CREATE TRIGGER tax_rows_stay BEFORE UPDATE OF {columns} ON tax_rows {refuse}")
    return guards


def postgresql_guards() -> list[str]:
    """The function and triggers for PostgreSQL."""
    run = "FOR EACH ROW EXECUTE FUNCTION invoicing_refuse()"
    guards = [
        "CREATE FUNCTION invoicing_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'invoicing: what was issued is never changed'"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ]
    guards += [
        f"CREATE TRIGGER {table}_are_kept BEFORE UPDATE OR DELETE ON {table} {run}"
        for table in KEPT
    ]
    columns = ", ".join(TERMS)
    guards.append(f"CREATE TRIGGER tax_rows_stay BEFORE UPDATE OF {columns} ON tax_rows {run}")
    return guards


def guard_when_created(metadata: MetaData) -> None:
    """Set the guards also where tables are made from the models, as in tests."""

    def guard(target: Any, connection: Connection, tables: Sequence[Table], **rest: Any) -> None:
        if any(table.name == KEPT[0] for table in tables):
            is_sqlite = connection.dialect.name == "sqlite"
            for statement in sqlite_guards() if is_sqlite else postgresql_guards():
                connection.execute(text(statement))

    event.listen(metadata, "after_create", guard)
