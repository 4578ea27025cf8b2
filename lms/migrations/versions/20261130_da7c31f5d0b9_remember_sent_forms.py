"""Remember forms that were just sent"""

import sqlalchemy as sa
from alembic import op

from lms.core.db import AnyJSON, UtcDateTime

revision = "da7c31f5d0b9"
down_revision = "c9d64ac56d58"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sent_forms",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("answer", AnyJSON, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sent_forms")),
    )
    op.create_index(op.f("ix_sent_forms_sent_at"), "sent_forms", ["sent_at"])


def downgrade() -> None:
    op.drop_table("sent_forms")
