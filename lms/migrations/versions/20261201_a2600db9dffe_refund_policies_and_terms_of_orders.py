"""Refund policies and terms of orders"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql
revision = 'a2600db9dffe'
down_revision = 'b6dea514c4d7'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('refund_policies',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('fee_percent', sa.Integer(), nullable=False),
    sa.Column('fee_caps', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('nothing_after_percent', sa.Integer(), nullable=False),
    sa.Column('moved_days', sa.Integer(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('fee_percent BETWEEN 0 AND 100', name=op.f('ck_refund_policies_fee')),
    sa.CheckConstraint('moved_days >= 0', name=op.f('ck_refund_policies_moved')),
    sa.CheckConstraint('nothing_after_percent BETWEEN 1 AND 100', name=op.f('ck_refund_policies_nothing_after')),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_refund_policies_made_by_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refund_policies')),
    sa.UniqueConstraint('starts_on', name=op.f('uq_refund_policies_starts_on'))
    )
    with op.batch_alter_table('refund_policies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_refund_policies_made_by_id'), ['made_by_id'], unique=False)

    op.create_table('order_terms',
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('policy_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('told_of', sa.Date(), nullable=True),
    sa.Column('transfers', sa.Integer(), nullable=False),
    sa.Column('buyer', sa.String(), nullable=False),
    sa.Column('organisation', sa.String(), nullable=False),
    sa.Column('province', sa.String(), nullable=False),
    sa.Column('purchase_order', sa.String(), nullable=False),
    sa.Column('sealed', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_terms_order_id_orders')),
    sa.ForeignKeyConstraint(['policy_id'], ['refund_policies.id'], name=op.f('fk_order_terms_policy_id_refund_policies')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_order_terms'))
    )
    with op.batch_alter_table('order_terms', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_terms_policy_id'), ['policy_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('order_terms', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_order_terms_policy_id'))

    op.drop_table('order_terms')
    with op.batch_alter_table('refund_policies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_refund_policies_made_by_id'))

    op.drop_table('refund_policies')
