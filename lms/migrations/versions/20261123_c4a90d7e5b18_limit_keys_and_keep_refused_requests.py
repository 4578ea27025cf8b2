"""Limit keys, let them be rotated, add sessions of launched content, keep refused requests"""

from __future__ import annotations

import json

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql

revision = 'c4a90d7e5b18'
down_revision = 'b7d2e4f81c63'
branch_labels = None
depends_on = None

_KEYS = sa.table('xapi_keys', sa.column('id', sa.Integer), sa.column('scope', sa.String),
                 sa.column('scopes', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')))


def _json() -> sa.types.TypeEngine:
    return sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql')


def _id() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    with op.batch_alter_table('xapi_keys', schema=None) as batch_op:
        batch_op.add_column(sa.Column('old_secret_hash', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('old_secret_until', lms.core.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('scopes', _json(), nullable=True))
        batch_op.add_column(sa.Column('limit_kind', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('limit_value', sa.Uuid(), nullable=True))
    for row in op.get_bind().execute(sa.select(_KEYS.c.id, _KEYS.c.scope)).all():
        op.execute(_KEYS.update().where(_KEYS.c.id == row.id).values(scopes=[row.scope]))
    with op.batch_alter_table('xapi_keys', schema=None) as batch_op:
        batch_op.alter_column('scopes', existing_type=_json(), nullable=False)
        batch_op.drop_column('scope')

    op.create_table('xapi_launch_sessions',
    sa.Column('id', _id(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('secret_hash', sa.String(), nullable=False),
    sa.Column('actor', _json(), nullable=False),
    sa.Column('registration', sa.Uuid(), nullable=False),
    sa.Column('activities', _json(), nullable=False),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_xapi_launch_sessions')),
    sa.UniqueConstraint('key', name=op.f('uq_xapi_launch_sessions_key'))
    )
    with op.batch_alter_table('xapi_launch_sessions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_xapi_launch_sessions_expires_at'), ['expires_at'], unique=False)

    op.create_table('xapi_refused_requests',
    sa.Column('id', _id(), nullable=False),
    sa.Column('at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('key_id', _id(), nullable=True),
    sa.Column('method', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('statement_index', sa.Integer(), nullable=True),
    sa.Column('path', sa.String(), nullable=True),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('size', _id(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['key_id'], ['xapi_keys.id'], name=op.f('fk_xapi_refused_requests_key_id_xapi_keys'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_xapi_refused_requests'))
    )
    with op.batch_alter_table('xapi_refused_requests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_xapi_refused_requests_at'), ['at'], unique=False)
        batch_op.create_index('ix_xapi_refused_requests_key_id_id', ['key_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_table('xapi_refused_requests')
    op.drop_table('xapi_launch_sessions')
    with op.batch_alter_table('xapi_keys', schema=None) as batch_op:
        batch_op.add_column(sa.Column('scope', sa.String(), nullable=True))
    for row in op.get_bind().execute(sa.select(_KEYS.c.id, _KEYS.c.scopes)).all():
        scopes = json.loads(row.scopes) if isinstance(row.scopes, str) else row.scopes
        one = scopes[0] if len(scopes) == 1 else 'all'
        op.execute(_KEYS.update().where(_KEYS.c.id == row.id).values(scope=one))
    with op.batch_alter_table('xapi_keys', schema=None) as batch_op:
        batch_op.alter_column('scope', existing_type=sa.String(), nullable=False)
        batch_op.drop_column('limit_value')
        batch_op.drop_column('limit_kind')
        batch_op.drop_column('scopes')
        batch_op.drop_column('old_secret_until')
        batch_op.drop_column('old_secret_hash')
