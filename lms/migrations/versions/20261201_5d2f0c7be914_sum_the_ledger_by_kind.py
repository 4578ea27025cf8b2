"""Sum the ledger by kind of entry too"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
revision = '5d2f0c7be914'
down_revision = 'd1ed560b76e5'
branch_labels = None
depends_on = None

WAYS = ('month', 'account', 'currency', 'product', 'country', 'rail')


def _make(ways: tuple[str, ...]) -> None:
    """Make the table anew, and fill it from the entries that were counted."""
    op.drop_index('ix_ledger_sums_account', table_name='ledger_sums')
    op.drop_table('ledger_sums')
    op.create_table('ledger_sums',
    *(sa.Column(name, sa.String(), nullable=False) for name in ways),
    sa.Column('debit_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('credit_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint(*ways, name=op.f('pk_ledger_sums'))
    )
    op.create_index('ix_ledger_sums_account', 'ledger_sums', ['account', 'currency', 'month'], unique=False)
    columns = ', '.join(ways)
    op.execute(
        f"INSERT INTO ledger_sums ({columns}, debit_minor, credit_minor) SELECT {columns},"
        " SUM(CASE WHEN amount_minor > 0 THEN amount_minor ELSE 0 END),"
        " SUM(CASE WHEN amount_minor < 0 THEN -amount_minor ELSE 0 END)"
        " FROM ledger_postings JOIN ledger_entries ON ledger_entries.id = ledger_postings.entry_id"
        " WHERE NOT EXISTS (SELECT 1 FROM ledger_uncounted"
        " WHERE ledger_uncounted.entry_id = ledger_entries.id)"
        f" GROUP BY {columns}"
    )


def upgrade() -> None:
    _make((*WAYS, 'kind'))


def downgrade() -> None:
    _make(WAYS)
