"""Mail reports and share figures with funders"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql
revision = 'c201f8397668'
down_revision = 'cbb34ebf1eb7'
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table('report_mails',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('report', sa.String(), nullable=False),
    sa.Column('values', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('rhythm', sa.String(), nullable=False),
    sa.Column('next_on', sa.Date(), nullable=True),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_report_mails_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_mails'))
    )
    with op.batch_alter_table('report_mails', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_mails_next_on'), ['next_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_report_mails_user_id'), ['user_id'], unique=False)

    op.create_table('funder_links',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('token_hash', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('tables', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('course_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('first', sa.Date(), nullable=False),
    sa.Column('last', sa.Date(), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=False),
    sa.Column('revoked_at', lms.core.db.UtcDateTime(timezone=True), nullable=True),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_funder_links_course_id_courses')),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_funder_links_made_by_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_funder_links')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_funder_links_token_hash'))
    )
    with op.batch_alter_table('funder_links', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_funder_links_course_id'), ['course_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_funder_links_made_by_id'), ['made_by_id'], unique=False)

    op.create_table('funder_looks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('link_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['link_id'], ['funder_links.id'], name=op.f('fk_funder_looks_link_id_funder_links')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_funder_looks'))
    )
    with op.batch_alter_table('funder_looks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_funder_looks_link_id'), ['link_id'], unique=False)




def downgrade() -> None:

    with op.batch_alter_table('funder_looks', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_funder_looks_link_id'))

    op.drop_table('funder_looks')
    with op.batch_alter_table('funder_links', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_funder_links_made_by_id'))
        batch_op.drop_index(batch_op.f('ix_funder_links_course_id'))

    op.drop_table('funder_links')
    with op.batch_alter_table('report_mails', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_report_mails_user_id'))
        batch_op.drop_index(batch_op.f('ix_report_mails_next_on'))

    op.drop_table('report_mails')

