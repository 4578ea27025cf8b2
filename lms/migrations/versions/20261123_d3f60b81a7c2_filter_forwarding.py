"""Filter what is forwarded, one worker for each target, and send refused statements again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lms.core.db import AnyJSON, UtcDateTime

revision = "d3f60b81a7c2"
down_revision = "c4a90d7e5b18"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("xapi_forwarding_targets") as table:
        table.add_column(sa.Column("verbs", AnyJSON, nullable=False, server_default="[]"))
        table.add_column(sa.Column("limit_kind", sa.String(), nullable=True))
        table.add_column(sa.Column("limit_value", sa.Uuid(), nullable=True))
        table.add_column(
            sa.Column("is_own_only", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.add_column(sa.Column("leased_until", UtcDateTime(), nullable=True))
    with op.batch_alter_table("xapi_refused_by_target") as table:
        table.add_column(
            sa.Column("is_due", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    with op.batch_alter_table("xapi_refused_by_target") as table:
        table.drop_column("is_due")
    with op.batch_alter_table("xapi_forwarding_targets") as table:
        table.drop_column("leased_until")
        table.drop_column("is_own_only")
        table.drop_column("limit_value")
        table.drop_column("limit_kind")
        table.drop_column("verbs")
