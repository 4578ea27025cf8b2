"""Find statements by numbers, keep their order, activities and attachments"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from lms.core.db import BigInt, UtcDateTime
from lms.xapi.lookup import By, lookup_key, lookup_keys, reference_of, related_activities, related_agents

revision = "e81b52c7d094"
down_revision = "d3f7a1c85e24"
branch_labels = None
depends_on = None

_STATEMENTS = sa.table("xapi_statements", sa.column("id"), sa.column("document"))
_KEYS = sa.table("xapi_statement_keys", sa.column("key"), sa.column("statement_pk"))
_ACTIVITIES = sa.table("xapi_related_activities", sa.column("statement_pk"), sa.column("iri"))
_AGENTS = sa.table("xapi_related_agents", sa.column("statement_pk"), sa.column("key"))


def _statements():
    """All statements, 500 at a time: the primary key and the statement."""
    last = 0
    while True:
        found = sa.select(_STATEMENTS).where(_STATEMENTS.c.id > last).order_by(_STATEMENTS.c.id)
        rows = op.get_bind().execute(found.limit(500)).all()
        if not rows:
            return
        yield [(row.id, json.loads(row.document)) for row in rows]
        last = rows[-1].id


def upgrade() -> None:
    op.create_table(
        "xapi_statement_keys",
        sa.Column("key", BigInt, autoincrement=False, nullable=False),
        sa.Column("statement_pk", BigInt, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "statement_pk", name=op.f("pk_xapi_statement_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "xapi_store_order",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("last_pk", BigInt, nullable=False),
        sa.Column("last_stored", BigInt, nullable=False),
        sa.Column("activities_version", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_store_order")),
    )
    op.create_table(
        "xapi_activities",
        sa.Column("key", BigInt, autoincrement=False, nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_xapi_activities")),
    )
    op.create_table(
        "xapi_attachments",
        sa.Column("sha2", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size", BigInt, nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha2", name=op.f("pk_xapi_attachments")),
    )
    op.create_table(
        "xapi_attachment_uses",
        sa.Column("statement_pk", BigInt, autoincrement=False, nullable=False),
        sa.Column("sha2", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("statement_pk", "sha2", name=op.f("pk_xapi_attachment_uses")),
    )
    op.create_index(
        "ix_xapi_attachment_uses_sha2", "xapi_attachment_uses", ["sha2", "statement_pk"]
    )
    for part in _statements():
        rows = []
        for primary_key, statement in part:
            keys = lookup_keys(statement)
            if reference_of(statement):
                keys.add(lookup_key(By.REFERENCE, reference_of(statement)))
            rows += [{"key": key, "statement_pk": primary_key} for key in keys]
        op.bulk_insert(_KEYS, rows)
    with op.batch_alter_table("xapi_statements") as table:
        table.drop_index("ix_xapi_statements_object_key_id")
        table.drop_index("ix_xapi_statements_registration_id")
        table.drop_index("ix_xapi_statements_stored_id")
        table.create_unique_constraint("uq_xapi_statements_stored", ["stored"])
        table.create_index("ix_xapi_statements_key_id_id", ["key_id", "id"])
    op.drop_table("xapi_related_agents")
    op.drop_table("xapi_related_activities")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("xapi_statements", "id", server_default=None)
        op.execute("DROP SEQUENCE xapi_statements_id_seq")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE xapi_statements_id_seq OWNED BY xapi_statements.id")
        op.execute(
            "SELECT setval('xapi_statements_id_seq', (SELECT coalesce(max(id), 0) + 1"
            " FROM xapi_statements), false)"
        )
        op.alter_column(
            "xapi_statements", "id", server_default=sa.text("nextval('xapi_statements_id_seq')")
        )
    for name, column in (("activities", "iri"), ("agents", "key")):
        op.create_table(
            f"xapi_related_{name}",
            sa.Column("statement_pk", BigInt, nullable=False),
            sa.Column(column, sa.String(), nullable=False),
            sa.ForeignKeyConstraint(
                ["statement_pk"],
                ["xapi_statements.id"],
                name=op.f(f"fk_xapi_related_{name}_statement_pk_xapi_statements"),
                ondelete="CASCADE",
            ),
            sa.PrimaryKeyConstraint("statement_pk", column, name=op.f(f"pk_xapi_related_{name}")),
        )
        op.create_index(
            f"ix_xapi_related_{name}_{column}", f"xapi_related_{name}", [column, "statement_pk"]
        )
    for part in _statements():
        op.bulk_insert(
            _ACTIVITIES,
            [{"statement_pk": pk, "iri": iri} for pk, s in part for iri in related_activities(s)],
        )
        op.bulk_insert(
            _AGENTS,
            [{"statement_pk": pk, "key": key} for pk, s in part for key in related_agents(s)],
        )
    with op.batch_alter_table("xapi_statements") as table:
        table.drop_index("ix_xapi_statements_key_id_id")
        table.drop_constraint("uq_xapi_statements_stored", type_="unique")
        table.create_index("ix_xapi_statements_stored_id", ["stored", "id"])
        table.create_index("ix_xapi_statements_registration_id", ["registration", "id"])
        table.create_index("ix_xapi_statements_object_key_id", ["object_key", "id"])
    for name in ("attachment_uses", "attachments", "activities", "store_order", "statement_keys"):
        op.drop_table(f"xapi_{name}")
