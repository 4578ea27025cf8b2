"""Orders of other products than places."""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql
revision = '7f6b0bb00058'
down_revision = 'c201f8397668'
branch_labels = None
depends_on = None

IS_OPEN = "state IN ('draft', 'pending')"
PLACE_IS_OPEN = f"{IS_OPEN} AND product = 'place'"


def upgrade() -> None:
    with op.batch_alter_table('order_terms', schema=None) as batch_op:
        batch_op.alter_column('first_day',
               existing_type=sa.DATE(),
               nullable=True)

    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.add_column(sa.Column('product', sa.String(), nullable=False, server_default='place'))
        batch_op.add_column(sa.Column('item', sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column('words', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=True))
        batch_op.add_column(sa.Column('quantity', sa.Integer(), nullable=False, server_default='1'))
        batch_op.alter_column('run_id',
               existing_type=sa.INTEGER(),
               nullable=True)
        batch_op.drop_index('uq_orders_open')
        batch_op.create_index('uq_orders_open', ['user_id', 'run_id'], unique=True, sqlite_where=sa.text(PLACE_IS_OPEN), postgresql_where=sa.text(PLACE_IS_OPEN))
        batch_op.create_check_constraint('quantity', 'quantity >= 1')
        batch_op.create_check_constraint(
            'product',
            "(product = 'place' AND run_id IS NOT NULL AND item IS NULL)"
            " OR (product <> 'place' AND item IS NOT NULL AND words IS NOT NULL)",
        )
        batch_op.create_index('uq_orders_open_item', ['user_id', 'product', 'item'], unique=True, sqlite_where=sa.text("state IN ('draft', 'pending') AND item IS NOT NULL"), postgresql_where=sa.text("state IN ('draft', 'pending') AND item IS NOT NULL"))



def downgrade() -> None:
    # Orders of other products than places keep it from being undone: they have no run.
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_constraint('product', type_='check')
        batch_op.drop_constraint('quantity', type_='check')
        batch_op.drop_index('uq_orders_open')
        batch_op.create_index('uq_orders_open', ['user_id', 'run_id'], unique=True, sqlite_where=sa.text(IS_OPEN), postgresql_where=sa.text(IS_OPEN))
        batch_op.drop_index('uq_orders_open_item', sqlite_where=sa.text("state IN ('draft', 'pending') AND item IS NOT NULL"), postgresql_where=sa.text("state IN ('draft', 'pending') AND item IS NOT NULL"))
        batch_op.alter_column('run_id',
               existing_type=sa.INTEGER(),
               nullable=False)
        batch_op.drop_column('quantity')
        batch_op.drop_column('words')
        batch_op.drop_column('item')
        batch_op.drop_column('product')

    with op.batch_alter_table('order_terms', schema=None) as batch_op:
        batch_op.alter_column('first_day',
               existing_type=sa.DATE(),
               nullable=False)

