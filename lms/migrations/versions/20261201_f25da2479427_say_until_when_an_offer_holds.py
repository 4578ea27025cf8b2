"""Say until when an offer holds"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written

revision = 'f25da2479427'
down_revision = '724b8038ba9f'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('order_offers',
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('valid_until', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('reminded_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_offers_order_id_orders')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_order_offers'))
    )
    with op.batch_alter_table('order_offers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_offers_valid_until'), ['valid_until'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('order_offers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_order_offers_valid_until'))

    op.drop_table('order_offers')
