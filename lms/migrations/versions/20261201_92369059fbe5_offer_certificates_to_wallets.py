"""Offer certificates to wallets"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op

revision = '92369059fbe5'
down_revision = 'aaa1f96a378e'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('wallet_offers',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('credential_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('code_digest', sa.String(), nullable=False),
    sa.Column('expires_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('used_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('token_digest', sa.String(), nullable=True),
    sa.Column('token_expires_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('issued_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('holder', sa.Text(), nullable=True),
    sa.Column('document', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['credential_id'], ['credentials.id'], name=op.f('fk_wallet_offers_credential_id_credentials')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wallet_offers')),
    sa.UniqueConstraint('code_digest', name=op.f('uq_wallet_offers_code_digest')),
    sa.UniqueConstraint('digest', name=op.f('uq_wallet_offers_digest')),
    sa.UniqueConstraint('token_digest', name=op.f('uq_wallet_offers_token_digest'))
    )
    with op.batch_alter_table('wallet_offers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_wallet_offers_credential_id'), ['credential_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_wallet_offers_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_wallet_offers_issued_at'), ['issued_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('wallet_offers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_wallet_offers_issued_at'))
        batch_op.drop_index(batch_op.f('ix_wallet_offers_expires_at'))
        batch_op.drop_index(batch_op.f('ix_wallet_offers_credential_id'))

    op.drop_table('wallet_offers')
