"""Cost recovery budgets and decisions"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written

revision = 'b6dea514c4d7'
down_revision = '0436da0e45e9'
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table('run_budgets',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('decide_on', sa.Date(), nullable=True),
    sa.Column('fee_hundredths', sa.Integer(), nullable=False),
    sa.Column('share_hundredths', sa.Integer(), nullable=False),
    sa.Column('told_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('decided_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('fee_hundredths BETWEEN 0 AND 10000', name=op.f('ck_run_budgets_fee')),
    sa.CheckConstraint('share_hundredths BETWEEN 0 AND 10000', name=op.f('ck_run_budgets_share')),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_run_budgets_run_id_course_runs')),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_run_budgets'))
    )
    with op.batch_alter_table('run_budgets', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_budgets_decide_on'), ['decide_on'], unique=False)

    op.create_table('run_costs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('basis', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('spent_on', sa.Date(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("basis IN ('fixed', 'per_learner')", name=op.f('ck_run_costs_basis')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_run_costs_amount')),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_run_costs_made_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_run_costs_run_id_course_runs')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run_costs'))
    )
    with op.batch_alter_table('run_costs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_costs_made_by_id'), ['made_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_run_costs_run_id'), ['run_id'], unique=False)

    op.create_table('run_decisions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('old_starts_on', sa.Date(), nullable=True),
    sa.Column('new_starts_on', sa.Date(), nullable=True),
    sa.Column('decided_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('decided_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_run_decisions_decided_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['run_id'], ['course_runs.id'], name=op.f('fk_run_decisions_run_id_course_runs')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run_decisions'))
    )
    with op.batch_alter_table('run_decisions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_decisions_decided_by_id'), ['decided_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_run_decisions_run_id'), ['run_id'], unique=False)

    op.create_table('run_move_offers',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('decision_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('enrolment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('answer', sa.String(), nullable=True),
    sa.Column('answered_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['decision_id'], ['run_decisions.id'], name=op.f('fk_run_move_offers_decision_id_run_decisions')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_run_move_offers_enrolment_id_enrolments')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run_move_offers')),
    sa.UniqueConstraint('decision_id', 'enrolment_id', name=op.f('uq_run_move_offers_decision_id_enrolment_id'))
    )
    with op.batch_alter_table('run_move_offers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_move_offers_enrolment_id'), ['enrolment_id'], unique=False)




def downgrade() -> None:

    with op.batch_alter_table('run_move_offers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_move_offers_enrolment_id'))

    op.drop_table('run_move_offers')
    with op.batch_alter_table('run_decisions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_decisions_run_id'))
        batch_op.drop_index(batch_op.f('ix_run_decisions_decided_by_id'))

    op.drop_table('run_decisions')
    with op.batch_alter_table('run_costs', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_costs_run_id'))
        batch_op.drop_index(batch_op.f('ix_run_costs_made_by_id'))

    op.drop_table('run_costs')
    with op.batch_alter_table('run_budgets', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_budgets_decide_on'))

    op.drop_table('run_budgets')

