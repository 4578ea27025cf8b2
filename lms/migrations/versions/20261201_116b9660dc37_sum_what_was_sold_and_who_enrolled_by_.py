"""Sum what was sold and who enrolled by course run"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from lms.core.rollups import drop_triggers, make_triggers
from lms.courses import sum_models as courses
from lms.payments import sum_models as payments

revision = '116b9660dc37'
down_revision = 'e6a74b91c3cf'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('enrolment_marks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enrolment_marks'))
    )
    with op.batch_alter_table('enrolment_marks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_enrolment_marks_run_id'), ['run_id'], unique=False)

    op.create_table('enrolment_sums',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('month', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('reached', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('enrolled', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('started', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('completed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('run_id', 'month', 'country', 'reached', name=op.f('pk_enrolment_sums'))
    )
    op.create_table('order_marks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_marks'))
    )
    with op.batch_alter_table('order_marks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_marks_run_id'), ['run_id'], unique=False)

    op.create_table('order_sums',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('month', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('tier', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('orders', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('listed_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('charged_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('refunded_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('run_id', 'month', 'currency', 'tier', 'country', name=op.f('pk_order_sums'))
    )
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_orders_delivered_at'), ['delivered_at'], unique=False)


    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in (
        *make_triggers(is_sqlite, 'enrolment_marks', courses.WATCHED),
        *make_triggers(is_sqlite, 'order_marks', payments.WATCHED),
    ):
        op.execute(sa.text(statement))
    op.execute("INSERT INTO enrolment_marks (run_id) SELECT DISTINCT run_id FROM enrolments WHERE enrolled_at IS NOT NULL")
    op.execute("INSERT INTO order_marks (run_id) SELECT DISTINCT COALESCE(run_id, 0) FROM orders")


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in (
        *drop_triggers(is_sqlite, payments.WATCHED),
        *drop_triggers(is_sqlite, courses.WATCHED),
    ):
        op.execute(sa.text(statement))
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_orders_delivered_at'))

    op.drop_table('order_sums')
    with op.batch_alter_table('order_marks', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_order_marks_run_id'))

    op.drop_table('order_marks')
    op.drop_table('enrolment_sums')
    with op.batch_alter_table('enrolment_marks', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_enrolment_marks_run_id'))

    op.drop_table('enrolment_marks')
