"""Let holders choose what a certificate shows and in which languages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b81d3e0c6a47"
down_revision = "596b0554286b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("credentials", sa.Column("second_language", sa.String(), nullable=True))
    op.add_column(
        "credentials",
        sa.Column("shows_grade", sa.Boolean(), nullable=False, server_default=sa.true()),
    )


def downgrade() -> None:
    op.drop_column("credentials", "shows_grade")
    op.drop_column("credentials", "second_language")
