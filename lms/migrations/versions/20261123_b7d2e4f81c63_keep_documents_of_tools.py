"""Keep the documents of tools: states and profiles"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op

revision = 'b7d2e4f81c63'
down_revision = '8e2d4b6f1a05'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('xapi_documents',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('activity', sa.String(), nullable=False),
    sa.Column('agent_key', sa.String(), nullable=False),
    sa.Column('registration', sa.Uuid(), nullable=True),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('agent_digest', sa.String(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('content_type', sa.String(), nullable=False),
    sa.Column('sha1', sa.String(), nullable=False),
    sa.Column('updated_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('key_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['key_id'], ['xapi_keys.id'], name=op.f('fk_xapi_documents_key_id_xapi_keys'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_xapi_documents')),
    sa.UniqueConstraint('key', name=op.f('uq_xapi_documents_key'))
    )
    with op.batch_alter_table('xapi_documents', schema=None) as batch_op:
        batch_op.create_index('ix_xapi_documents_place_id', ['place', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_xapi_documents_agent_digest'), ['agent_digest'], unique=False)


def downgrade() -> None:
    op.drop_table('xapi_documents')
