"""Add price tiers"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql

revision = '96d9f3bc6ac4'
down_revision = 'cb1da96e33d2'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('price_tiers',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.CheckConstraint('percent BETWEEN 1 AND 100', name=op.f('ck_price_tiers_percent')),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_price_tiers'))
    )
    op.create_table('price_exceptions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('tier', sa.String(), nullable=True),
    sa.Column('reason', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('valid_until >= valid_from', name=op.f('ck_price_exceptions_dates')),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_price_exceptions_made_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tier'], ['price_tiers.name'], name=op.f('fk_price_exceptions_tier_price_tiers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_price_exceptions'))
    )
    with op.batch_alter_table('price_exceptions', schema=None) as batch_op:
        batch_op.create_index('ix_price_exceptions_country', ['country', 'valid_from'], unique=False)
        batch_op.create_index(batch_op.f('ix_price_exceptions_made_by_id'), ['made_by_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('price_exceptions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_price_exceptions_made_by_id'))
        batch_op.drop_index('ix_price_exceptions_country')

    op.drop_table('price_exceptions')
    op.drop_table('price_tiers')
