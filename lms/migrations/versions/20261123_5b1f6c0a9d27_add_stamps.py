"""Add stamps: whether content of a kind has changed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5b1f6c0a9d27"
down_revision = "26ed75401c23"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stamps",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stamps")),
    )


def downgrade() -> None:
    op.drop_table("stamps")
