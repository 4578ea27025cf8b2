"""Sign tokens beside documents, and let certificates end by a rule of the course"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lms.core.db import UtcDateTime

revision = "4a7c1e9b5d20"
down_revision = "9fa6842b2623"
branch_labels = None
depends_on = None


def upgrade() -> None:
    keys = "certificate_issuer_keys"
    op.add_column(keys, sa.Column("use", sa.String(), nullable=False, server_default="proof"))
    op.add_column(keys, sa.Column("withdrawn_at", UtcDateTime(), nullable=True))
    op.add_column("credentials", sa.Column("token", sa.Text(), nullable=True))
    op.add_column("credentials", sa.Column("public_token", sa.Text(), nullable=True))
    op.add_column("courses", sa.Column("certificate_months", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("courses", "certificate_months")
    op.drop_column("credentials", "public_token")
    op.drop_column("credentials", "token")
    op.execute("DELETE FROM certificate_issuer_keys WHERE use <> 'proof'")
    op.drop_column("certificate_issuer_keys", "withdrawn_at")
    op.drop_column("certificate_issuer_keys", "use")
