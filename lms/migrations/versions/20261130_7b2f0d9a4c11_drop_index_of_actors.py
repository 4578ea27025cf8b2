"""Statements are found by their numbers: no index of actors"""

from alembic import op

revision = "7b2f0d9a4c11"
down_revision = "da7c31f5d0b9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_xapi_statements_actor_key_id", table_name="xapi_statements")


def downgrade() -> None:
    op.create_index(
        "ix_xapi_statements_actor_key_id", "xapi_statements", ["actor_key", "id"]
    )
