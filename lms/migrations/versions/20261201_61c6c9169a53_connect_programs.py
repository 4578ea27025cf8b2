"""Connect programs to holders, and keep credentials from elsewhere"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql

revision = '61c6c9169a53'
down_revision = '96d9f3bc6ac4'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('badge_clients',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('client_id', sa.String(), nullable=False),
    sa.Column('secret_digest', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('host', sa.String(), nullable=False),
    sa.Column('registration', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_badge_clients')),
    sa.UniqueConstraint('client_id', name=op.f('uq_badge_clients_client_id'))
    )
    with op.batch_alter_table('badge_clients', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_badge_clients_created_at'), ['created_at'], unique=False)

    op.create_table('badge_connections',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uuid', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('client_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('scopes', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['badge_clients.id'], name=op.f('fk_badge_connections_client_id_badge_clients')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_badge_connections_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_badge_connections')),
    sa.UniqueConstraint('uuid', name=op.f('uq_badge_connections_uuid'))
    )
    with op.batch_alter_table('badge_connections', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_badge_connections_client_id'), ['client_id'], unique=False)
        batch_op.create_index('ix_badge_connections_open', ['user_id', 'client_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.create_index(batch_op.f('ix_badge_connections_user_id'), ['user_id'], unique=False)

    op.create_table('foreign_credentials',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uuid', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('issuer', sa.String(), nullable=False),
    sa.Column('identifier', sa.String(), nullable=False),
    sa.Column('issuer_name', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('is_token', sa.Boolean(), nullable=False),
    sa.Column('valid_from', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('kept_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('from_host', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_foreign_credentials_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_foreign_credentials')),
    sa.UniqueConstraint('user_id', 'issuer', 'identifier', name=op.f('uq_foreign_credentials_user_id_issuer_identifier')),
    sa.UniqueConstraint('uuid', name=op.f('uq_foreign_credentials_uuid'))
    )
    op.create_table('badge_codes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('connection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('redirect_uri', sa.String(), nullable=False),
    sa.Column('code_challenge', sa.String(), nullable=False),
    sa.Column('code_challenge_method', sa.String(), nullable=False),
    sa.Column('expires_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('used_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['connection_id'], ['badge_connections.id'], name=op.f('fk_badge_codes_connection_id_badge_connections'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_badge_codes')),
    sa.UniqueConstraint('digest', name=op.f('uq_badge_codes_digest'))
    )
    with op.batch_alter_table('badge_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_badge_codes_connection_id'), ['connection_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_badge_codes_expires_at'), ['expires_at'], unique=False)

    op.create_table('badge_tokens',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('connection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('access_digest', sa.String(), nullable=False),
    sa.Column('refresh_digest', sa.String(), nullable=True),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('issued_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('refresh_expires_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('refreshed_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['connection_id'], ['badge_connections.id'], name=op.f('fk_badge_tokens_connection_id_badge_connections'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_badge_tokens')),
    sa.UniqueConstraint('access_digest', name=op.f('uq_badge_tokens_access_digest')),
    sa.UniqueConstraint('refresh_digest', name=op.f('uq_badge_tokens_refresh_digest'))
    )
    with op.batch_alter_table('badge_tokens', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_badge_tokens_connection_id'), ['connection_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_badge_tokens_refresh_expires_at'), ['refresh_expires_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('badge_tokens', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_badge_tokens_refresh_expires_at'))
        batch_op.drop_index(batch_op.f('ix_badge_tokens_connection_id'))

    op.drop_table('badge_tokens')
    with op.batch_alter_table('badge_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_badge_codes_expires_at'))
        batch_op.drop_index(batch_op.f('ix_badge_codes_connection_id'))

    op.drop_table('badge_codes')
    op.drop_table('foreign_credentials')
    with op.batch_alter_table('badge_connections', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_badge_connections_user_id'))
        batch_op.drop_index('ix_badge_connections_open', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_badge_connections_client_id'))

    op.drop_table('badge_connections')
    with op.batch_alter_table('badge_clients', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_badge_clients_created_at'))

    op.drop_table('badge_clients')
