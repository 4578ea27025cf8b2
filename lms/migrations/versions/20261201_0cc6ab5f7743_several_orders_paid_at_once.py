"""Several orders paid at once"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written

revision = '0cc6ab5f7743'
down_revision = "37134e2db702"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('purchases',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uuid', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=True),
    sa.Column('gateway_session', sa.String(), nullable=True),
    sa.Column('gateway_url', sa.String(), nullable=True),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_purchases_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchases')),
    sa.UniqueConstraint('gateway', 'gateway_session', name=op.f('uq_purchases_gateway_gateway_session')),
    sa.UniqueConstraint('uuid', name=op.f('uq_purchases_uuid'))
    )
    with op.batch_alter_table('purchases', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_purchases_user_id'), ['user_id'], unique=False)

    op.create_table('basket_lines',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('product', sa.String(), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('item', sa.Uuid(), nullable=True),
    sa.Column('added_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(run_id IS NULL) <> (item IS NULL)', name=op.f('ck_basket_lines_one_thing')),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_basket_lines_run_id_course_runs'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_basket_lines_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_basket_lines')),
    sa.UniqueConstraint('user_id', 'product', 'item', name=op.f('uq_basket_lines_user_id_product_item')),
    sa.UniqueConstraint('user_id', 'run_id', name=op.f('uq_basket_lines_user_id_run_id'))
    )
    with op.batch_alter_table('basket_lines', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_basket_lines_run_id'), ['run_id'], unique=False)

    with op.batch_alter_table('gateway_movements', schema=None) as batch_op:
        batch_op.add_column(sa.Column('whole', sa.String(), nullable=True))
        batch_op.create_index(batch_op.f('ix_gateway_movements_whole'), ['whole'], unique=False)

    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.add_column(sa.Column('purchase_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.create_index(batch_op.f('ix_orders_purchase_id'), ['purchase_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_orders_purchase_id_purchases'), 'purchases', ['purchase_id'], ['id'])



def downgrade() -> None:
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_orders_purchase_id_purchases'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_orders_purchase_id'))
        batch_op.drop_column('purchase_id')

    with op.batch_alter_table('gateway_movements', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_gateway_movements_whole'))
        batch_op.drop_column('whole')

    with op.batch_alter_table('basket_lines', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_basket_lines_run_id'))

    op.drop_table('basket_lines')
    with op.batch_alter_table('purchases', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_purchases_user_id'))

    op.drop_table('purchases')
