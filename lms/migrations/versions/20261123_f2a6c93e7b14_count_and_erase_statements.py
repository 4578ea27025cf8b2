"""Keep counts of statements, rules of retention, and the log of erasures"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lms.core.db import AnyJSON, BigInt, UtcDateTime

revision = "f2a6c93e7b14"
down_revision = "e81b52c7d094"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "xapi_statement_counts",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("verb_id", sa.String(), nullable=False),
        sa.Column("count", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("run", "day", "verb_id", name=op.f("pk_xapi_statement_counts")),
    )
    op.create_table(
        "xapi_counting_place",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("last_pk", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_counting_place")),
    )
    op.create_table(
        "xapi_counted_voids",
        sa.Column("statement_pk", BigInt, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_pk"],
            ["xapi_statements.id"],
            name=op.f("fk_xapi_counted_voids_statement_pk_xapi_statements"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("statement_pk", name=op.f("pk_xapi_counted_voids")),
    )
    op.create_table(
        "xapi_retention_rules",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("verbs", AnyJSON, nullable=False),
        sa.Column("limit_kind", sa.String(), nullable=True),
        sa.Column("limit_value", sa.Uuid(), nullable=True),
        sa.Column("is_own_only", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_run_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("days >= 1", name=op.f("ck_xapi_retention_rules_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_retention_rules")),
    )
    op.create_table(
        "xapi_erasures",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("rule_id", BigInt, nullable=True),
        sa.Column("ordered_by_id", BigInt, nullable=True),
        sa.Column("identifiers_sealed", sa.String(), nullable=True),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("targets", AnyJSON, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["xapi_retention_rules.id"],
            name=op.f("fk_xapi_erasures_rule_id_xapi_retention_rules"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["ordered_by_id"],
            ["users.id"],
            name=op.f("fk_xapi_erasures_ordered_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_erasures")),
    )


def downgrade() -> None:
    for table in (
        "xapi_erasures",
        "xapi_retention_rules",
        "xapi_counted_voids",
        "xapi_counting_place",
        "xapi_statement_counts",
    ):
        op.drop_table(table)
