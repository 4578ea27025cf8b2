"""Outcomes by their words"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = 'cbb34ebf1eb7'
down_revision = 'e0cd0e1b4a8f'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('prior_learning_offered_outcomes', schema=None) as batch_op:
        # what was offered before this is offered anew: no words are known of it
        batch_op.add_column(sa.Column('key', sa.String(), nullable=False, server_default=''))
        batch_op.alter_column('key', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('prior_learning_offered_outcomes', schema=None) as batch_op:
        batch_op.drop_column('key')
