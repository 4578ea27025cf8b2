"""Sums of what is owed, and how many postings a sum holds"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
revision = '5b1f0c2d7e94'
down_revision = '0cc6ab5f7743'
branch_labels = None
depends_on = None

_DIMENSIONS = "e.month, p.account, p.currency, e.product, e.country, e.rail, e.kind"


def upgrade() -> None:
    with op.batch_alter_table('ledger_sums', schema=None) as batch_op:
        batch_op.add_column(sa.Column('postings', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, server_default='0'))
    with op.batch_alter_table('ledger_sums', schema=None) as batch_op:
        batch_op.alter_column('postings', server_default=None)
    op.create_table('ledger_owed',
    sa.Column('about', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('owed_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('about', 'currency', name=op.f('pk_ledger_owed'))
    )
    _make_anew()
    with op.batch_alter_table('ledger_owed', schema=None) as batch_op:
        batch_op.create_index('ix_ledger_owed_open', ['since'], unique=False, sqlite_where=sa.text('owed_minor <> 0'), postgresql_where=sa.text('owed_minor <> 0'))


def _make_anew() -> None:
    """All sums from all entries: what waited to be counted is counted with them."""
    op.execute("DELETE FROM ledger_uncounted")
    op.execute("DELETE FROM ledger_sums")
    op.execute(
        "INSERT INTO ledger_sums (month, account, currency, product, country, rail, kind,"
        f" debit_minor, credit_minor, postings) SELECT {_DIMENSIONS},"
        " SUM(CASE WHEN p.amount_minor > 0 THEN p.amount_minor ELSE 0 END),"
        " SUM(CASE WHEN p.amount_minor < 0 THEN -p.amount_minor ELSE 0 END), COUNT(*)"
        f" FROM ledger_postings p JOIN ledger_entries e ON e.id = p.entry_id GROUP BY {_DIMENSIONS}"
    )
    op.execute(
        "INSERT INTO ledger_owed (about, currency, owed_minor, since)"
        " SELECT e.about, p.currency, SUM(p.amount_minor), MIN(e.happened_on)"
        " FROM ledger_postings p JOIN ledger_entries e ON e.id = p.entry_id"
        " WHERE p.account = 'Assets:Receivable' GROUP BY e.about, p.currency"
    )


def downgrade() -> None:
    with op.batch_alter_table('ledger_owed', schema=None) as batch_op:
        batch_op.drop_index('ix_ledger_owed_open', sqlite_where=sa.text('owed_minor <> 0'), postgresql_where=sa.text('owed_minor <> 0'))

    op.drop_table('ledger_owed')
    with op.batch_alter_table('ledger_sums', schema=None) as batch_op:
        batch_op.drop_column('postings')
