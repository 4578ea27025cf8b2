"""Parts of orders that are due on days, after what was bought is delivered."""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op

revision = 'c52a0f4c4e5e'
down_revision = '5e2b97baf60f'
branch_labels = None
depends_on = None

STATES = "'draft', 'pending', 'paid', 'partially_refunded', 'refunded', 'cancelled', 'expired'"


def upgrade() -> None:
    op.create_table('invoice_approvals',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organisation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_invoice_approvals_made_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_invoice_approvals_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_approvals'))
    )
    with op.batch_alter_table('invoice_approvals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invoice_approvals_made_by_id'), ['made_by_id'], unique=False)
        batch_op.create_index('uq_invoice_approvals_open', ['organisation_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.create_table('plan_parts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.CheckConstraint('(position = 1) = (due_on IS NULL)', name=op.f('ck_plan_parts_due_on')),
    sa.CheckConstraint('percent BETWEEN 1 AND 99', name=op.f('ck_plan_parts_percent')),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_plan_parts_run_id_course_runs'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_parts')),
    sa.UniqueConstraint('run_id', 'position', name=op.f('uq_plan_parts_run_id_position'))
    )
    op.create_table('order_dues',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uuid', sa.Uuid(), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('paid_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('waived_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lost_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('told_step', sa.Integer(), nullable=True),
    sa.Column('told_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('gateway', sa.String(), nullable=True),
    sa.Column('gateway_session', sa.String(), nullable=True),
    sa.Column('gateway_url', sa.String(), nullable=True),
    sa.Column('page_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('expires_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_order_dues_amount')),
    sa.CheckConstraint('paid_minor >= 0 AND waived_minor >= 0 AND lost_minor >= 0 AND paid_minor + waived_minor + lost_minor <= amount_minor', name=op.f('ck_order_dues_sum')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_dues_order_id_orders')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_dues')),
    sa.UniqueConstraint('gateway', 'gateway_session', name=op.f('uq_order_dues_gateway_gateway_session')),
    sa.UniqueConstraint('order_id', 'position', name=op.f('uq_order_dues_order_id_position')),
    sa.UniqueConstraint('uuid', name=op.f('uq_order_dues_uuid'))
    )
    with op.batch_alter_table('order_dues', schema=None) as batch_op:
        batch_op.create_index('ix_order_dues_open', ['due_on'], unique=False, sqlite_where=sa.text('paid_minor + waived_minor + lost_minor < amount_minor'), postgresql_where=sa.text('paid_minor + waived_minor + lost_minor < amount_minor'))

    op.create_table('order_reliefs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('made_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('waived', 'lost')", name=op.f('ck_order_reliefs_kind')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_order_reliefs_amount')),
    sa.ForeignKeyConstraint(['by_id'], ['users.id'], name=op.f('fk_order_reliefs_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_reliefs_order_id_orders')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_reliefs'))
    )
    with op.batch_alter_table('order_reliefs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_reliefs_by_id'), ['by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_order_reliefs_order_id'), ['order_id'], unique=False)

    with op.batch_alter_table('enrolments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_owed', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('paused_at', lms.core.db.UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table('invoices', schema=None) as batch_op:
        batch_op.add_column(sa.Column('due_on', sa.Date(), nullable=True))

    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.add_column(sa.Column('first_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.add_column(sa.Column('delivered_at', lms.core.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.drop_constraint('state', type_='check')
        batch_op.create_check_constraint('state', f"state IN ('quoted', 'owed', {STATES})")
        batch_op.create_check_constraint('first', 'first_minor > 0 AND first_minor < total_minor')



def downgrade() -> None:
    # Orders that are quoted or owed keep it from being undone: they are in no other state.
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_constraint('first', type_='check')
        batch_op.drop_constraint('state', type_='check')
        batch_op.create_check_constraint('state', f"state IN ({STATES})")
        batch_op.drop_column('delivered_at')
        batch_op.drop_column('first_minor')

    with op.batch_alter_table('invoices', schema=None) as batch_op:
        batch_op.drop_column('due_on')

    with op.batch_alter_table('enrolments', schema=None) as batch_op:
        batch_op.drop_column('paused_at')
        batch_op.drop_column('is_owed')

    with op.batch_alter_table('order_reliefs', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_order_reliefs_order_id'))
        batch_op.drop_index(batch_op.f('ix_order_reliefs_by_id'))

    op.drop_table('order_reliefs')
    with op.batch_alter_table('order_dues', schema=None) as batch_op:
        batch_op.drop_index('ix_order_dues_open', sqlite_where=sa.text('paid_minor + waived_minor + lost_minor < amount_minor'), postgresql_where=sa.text('paid_minor + waived_minor + lost_minor < amount_minor'))

    op.drop_table('order_dues')
    op.drop_table('plan_parts')
    with op.batch_alter_table('invoice_approvals', schema=None) as batch_op:
        batch_op.drop_index('uq_invoice_approvals_open', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_invoice_approvals_made_by_id'))

    op.drop_table('invoice_approvals')
