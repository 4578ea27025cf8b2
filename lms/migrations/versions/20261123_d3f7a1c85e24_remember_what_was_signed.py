"""Remember what this site signed by a keyed hash"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lms.core.db import AnyJSON

revision = "d3f7a1c85e24"
down_revision = "d3f60b81a7c2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "credentials",
        sa.Column("document_macs", AnyJSON, nullable=False, server_default="[]"),
    )


def downgrade() -> None:
    with op.batch_alter_table("credentials") as batch:
        batch.drop_column("document_macs")
