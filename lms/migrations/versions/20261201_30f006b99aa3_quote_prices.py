"""Quote prices"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql

revision = '30f006b99aa3'
down_revision = '5d2f0c7be914'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('residence_proofs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('document_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('answer', sa.String(), nullable=False),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('decided_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('asked', 'accepted', 'declined')", name=op.f('ck_residence_proofs_state')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_residence_proofs_decided_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['document_id'], ['stored_files.id'], name=op.f('fk_residence_proofs_document_id_stored_files'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_residence_proofs_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_residence_proofs'))
    )
    with op.batch_alter_table('residence_proofs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_residence_proofs_decided_by_id'), ['decided_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_residence_proofs_document_id'), ['document_id'], unique=False)
        batch_op.create_index('ix_residence_proofs_state', ['state', 'created_at'], unique=False)
        batch_op.create_index('ix_residence_proofs_user_id', ['user_id', 'state'], unique=False)
        batch_op.create_index('uq_residence_proofs_open', ['user_id'], unique=True, sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))

    op.create_table('organisation_contracts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organisation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('course_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('percent', sa.Integer(), nullable=True),
    sa.Column('off_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('off_currency', sa.String(), nullable=True),
    sa.Column('is_stackable', sa.Boolean(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(percent IS NOT NULL AND percent BETWEEN 1 AND 100 AND off_minor IS NULL AND off_currency IS NULL) OR (percent IS NULL AND off_minor > 0 AND off_currency IS NOT NULL)', name=op.f('ck_organisation_contracts_percent_or_amount')),
    sa.CheckConstraint('valid_until >= valid_from', name=op.f('ck_organisation_contracts_dates')),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_organisation_contracts_course_id_courses')),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_organisation_contracts_made_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_organisation_contracts_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_organisation_contracts_run_id_course_runs')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organisation_contracts'))
    )
    with op.batch_alter_table('organisation_contracts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_organisation_contracts_course_id'), ['course_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_organisation_contracts_made_by_id'), ['made_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_organisation_contracts_organisation_id'), ['organisation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_organisation_contracts_run_id'), ['run_id'], unique=False)

    op.create_table('price_quotes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uuid', sa.Uuid(), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('country', sa.String(), nullable=True),
    sa.Column('tier', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('price_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('total_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('steps', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('made_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('total_minor >= 0 AND price_minor >= 0', name=op.f('ck_price_quotes_amounts')),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_price_quotes_run_id_course_runs')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_price_quotes_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_price_quotes')),
    sa.UniqueConstraint('uuid', name=op.f('uq_price_quotes_uuid'))
    )
    with op.batch_alter_table('price_quotes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_price_quotes_run_id'), ['run_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_price_quotes_user_id'), ['user_id'], unique=False)

    op.create_table('price_requests',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tier', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=True),
    sa.Column('asked_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_price_requests_run_id_course_runs'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_price_requests_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_price_requests')),
    sa.UniqueConstraint('run_id', 'user_id', name=op.f('uq_price_requests_run_id_user_id'))
    )
    with op.batch_alter_table('price_requests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_price_requests_asked_at'), ['asked_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_price_requests_user_id'), ['user_id'], unique=False)

    op.create_table('run_choices',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('minimum_percent', sa.Integer(), nullable=False),
    sa.Column('suggested_percent', sa.Integer(), nullable=False),
    sa.CheckConstraint('minimum_percent BETWEEN 0 AND 100', name=op.f('ck_run_choices_minimum')),
    sa.CheckConstraint('suggested_percent BETWEEN minimum_percent AND 200', name=op.f('ck_run_choices_suggested')),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_run_choices_run_id_course_runs'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_run_choices'))
    )
    op.create_table('tier_prices',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tier', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('is_early_bird', sa.Boolean(), nullable=False),
    sa.Column('valid_from', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('valid_until', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_tier_prices_amount')),
    sa.CheckConstraint('is_early_bird = false OR valid_until IS NOT NULL', name=op.f('ck_tier_prices_early_bird')),
    sa.CheckConstraint('valid_until > valid_from', name=op.f('ck_tier_prices_dates')),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_tier_prices_made_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_tier_prices_run_id_course_runs'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tier'], ['price_tiers.name'], name=op.f('fk_tier_prices_tier_price_tiers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tier_prices')),
    sa.UniqueConstraint('run_id', 'tier', 'currency', 'is_early_bird', 'valid_from', name=op.f('uq_tier_prices_run_id_tier_currency_is_early_bird_valid_from'))
    )
    with op.batch_alter_table('tier_prices', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tier_prices_made_by_id'), ['made_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_tier_prices_tier'), ['tier'], unique=False)

    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.add_column(sa.Column('quote_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.create_index(batch_op.f('ix_orders_quote_id'), ['quote_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_orders_quote_id_price_quotes'), 'price_quotes', ['quote_id'], ['id'])



def downgrade() -> None:
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_orders_quote_id_price_quotes'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_orders_quote_id'))
        batch_op.drop_column('quote_id')

    with op.batch_alter_table('tier_prices', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tier_prices_tier'))
        batch_op.drop_index(batch_op.f('ix_tier_prices_made_by_id'))

    op.drop_table('tier_prices')
    op.drop_table('run_choices')
    with op.batch_alter_table('price_requests', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_price_requests_user_id'))
        batch_op.drop_index(batch_op.f('ix_price_requests_asked_at'))

    op.drop_table('price_requests')
    with op.batch_alter_table('price_quotes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_price_quotes_user_id'))
        batch_op.drop_index(batch_op.f('ix_price_quotes_run_id'))

    op.drop_table('price_quotes')
    with op.batch_alter_table('organisation_contracts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_organisation_contracts_run_id'))
        batch_op.drop_index(batch_op.f('ix_organisation_contracts_organisation_id'))
        batch_op.drop_index(batch_op.f('ix_organisation_contracts_made_by_id'))
        batch_op.drop_index(batch_op.f('ix_organisation_contracts_course_id'))

    op.drop_table('organisation_contracts')
    with op.batch_alter_table('residence_proofs', schema=None) as batch_op:
        batch_op.drop_index('uq_residence_proofs_open', sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))
        batch_op.drop_index('ix_residence_proofs_user_id')
        batch_op.drop_index('ix_residence_proofs_state')
        batch_op.drop_index(batch_op.f('ix_residence_proofs_document_id'))
        batch_op.drop_index(batch_op.f('ix_residence_proofs_decided_by_id'))

    op.drop_table('residence_proofs')
