"""Keep a ledger"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from lms.ledger.guards import postgresql_functions, postgresql_guards, sqlite_guards
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql
revision = 'cb1da96e33d2'
down_revision = 'c1974e253dbc'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ledger_check_runs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('unexplained', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_check_runs'))
    )
    op.create_table('ledger_periods',
    sa.Column('month', sa.String(), nullable=False),
    sa.Column('closed_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('closed_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('balances', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('month', name=op.f('pk_ledger_periods'))
    )
    op.create_table('ledger_seals',
    sa.Column('entry_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_ledger_seals'))
    )
    op.create_table('ledger_sums',
    sa.Column('month', sa.String(), nullable=False),
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('product', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('rail', sa.String(), nullable=False),
    sa.Column('debit_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('credit_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('month', 'account', 'currency', 'product', 'country', 'rail', name=op.f('pk_ledger_sums'))
    )
    with op.batch_alter_table('ledger_sums', schema=None) as batch_op:
        batch_op.create_index('ix_ledger_sums_account', ['account', 'currency', 'month'], unique=False)

    op.create_table('ledger_entries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('about', sa.String(), nullable=False),
    sa.Column('product', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('rail', sa.String(), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('month', sa.String(), nullable=False),
    sa.Column('posted_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.CheckConstraint('effective_on >= happened_on', name=op.f('ck_ledger_entries_days')),
    sa.ForeignKeyConstraint(['id'], ['ledger_seals.entry_id'], name=op.f('fk_ledger_entries_id_ledger_seals'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_entries')),
    sa.UniqueConstraint('source', 'kind', name=op.f('uq_ledger_entries_source_kind'))
    )
    with op.batch_alter_table('ledger_entries', schema=None) as batch_op:
        batch_op.create_index('ix_ledger_entries_about', ['about'], unique=False)
        batch_op.create_index('ix_ledger_entries_effective_on', ['effective_on', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ledger_entries_month'), ['month'], unique=False)
        batch_op.create_index('ix_ledger_entries_product_month', ['product', 'month'], unique=False)

    op.create_table('ledger_postings',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('entry_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('amount_minor <> 0', name=op.f('ck_ledger_postings_amount')),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger_entries.id'], name=op.f('fk_ledger_postings_entry_id_ledger_entries')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_postings'))
    )
    with op.batch_alter_table('ledger_postings', schema=None) as batch_op:
        batch_op.create_index('ix_ledger_postings_account', ['account', 'entry_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ledger_postings_entry_id'), ['entry_id'], unique=False)

    op.create_table('ledger_uncounted',
    sa.Column('entry_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger_entries.id'], name=op.f('fk_ledger_uncounted_entry_id_ledger_entries')),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_ledger_uncounted'))
    )
    op.create_table('order_revenues',
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('deferred_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('taken_back_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('weeks_earned', sa.Integer(), nullable=False),
    sa.CheckConstraint('deferred_minor >= 0', name=op.f('ck_order_revenues_deferred')),
    sa.CheckConstraint('taken_back_minor >= 0', name=op.f('ck_order_revenues_taken_back')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_revenues_order_id_orders')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_order_revenues'))
    )
    with op.batch_alter_table('order_revenues', schema=None) as batch_op:
        batch_op.create_index('ix_order_revenues_deferred', ['order_id'], unique=False, sqlite_where=sa.text('deferred_minor > 0'), postgresql_where=sa.text('deferred_minor > 0'))

    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for guard in sqlite_guards() if is_sqlite else postgresql_guards():
        op.execute(sa.text(guard))


def downgrade() -> None:
    with op.batch_alter_table('order_revenues', schema=None) as batch_op:
        batch_op.drop_index('ix_order_revenues_deferred', sqlite_where=sa.text('deferred_minor > 0'), postgresql_where=sa.text('deferred_minor > 0'))

    op.drop_table('order_revenues')
    op.drop_table('ledger_uncounted')
    with op.batch_alter_table('ledger_postings', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ledger_postings_entry_id'))
        batch_op.drop_index('ix_ledger_postings_account')

    op.drop_table('ledger_postings')
    with op.batch_alter_table('ledger_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_ledger_entries_product_month')
        batch_op.drop_index(batch_op.f('ix_ledger_entries_month'))
        batch_op.drop_index('ix_ledger_entries_effective_on')
        batch_op.drop_index('ix_ledger_entries_about')

    op.drop_table('ledger_entries')
    with op.batch_alter_table('ledger_sums', schema=None) as batch_op:
        batch_op.drop_index('ix_ledger_sums_account')

    op.drop_table('ledger_sums')
    op.drop_table('ledger_seals')
    op.drop_table('ledger_periods')
    op.drop_table('ledger_check_runs')
    if op.get_bind().dialect.name == "postgresql":
        for name in postgresql_functions():
            op.execute(f"DROP FUNCTION {name}()")
