"""Sellers, tax rows and invoices"""

from __future__ import annotations

import lms.core.db
import sqlalchemy as sa
from alembic import op
from lms.invoicing.guards import postgresql_guards, sqlite_guards
from sqlalchemy import Text  # so PostgreSQL's types are written
from sqlalchemy.dialects import postgresql
revision = '86704cdcc424'
down_revision = '92369059fbe5'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sellers',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('series', sa.String(), nullable=False),
    sa.Column('is_main', sa.Boolean(), nullable=True),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('province', sa.String(), nullable=False),
    sa.Column('tax_numbers', sa.String(), nullable=False),
    sa.Column('registered_from', sa.Date(), nullable=True),
    sa.Column('threshold_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('threshold_currency', sa.String(), nullable=False),
    sa.Column('warn_percent', sa.Integer(), nullable=False),
    sa.Column('counting_rates', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('warned', sa.String(), nullable=False),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('threshold_minor >= 0', name=op.f('ck_sellers_threshold')),
    sa.CheckConstraint('warn_percent BETWEEN 1 AND 100', name=op.f('ck_sellers_warn')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sellers')),
    sa.UniqueConstraint('is_main', name=op.f('uq_sellers_is_main')),
    sa.UniqueConstraint('series', name=op.f('uq_sellers_series'))
    )
    op.create_table('invoice_counters',
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('year', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_invoice_counters_seller_id_sellers')),
    sa.PrimaryKeyConstraint('seller_id', 'kind', 'year', name=op.f('pk_invoice_counters'))
    )
    op.create_table('invoices',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uuid', sa.Uuid(), nullable=False),
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('product', sa.String(), nullable=False),
    sa.Column('cancels_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('buyer', sa.String(), nullable=False),
    sa.Column('organisation', sa.String(), nullable=False),
    sa.Column('buyer_sealed', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('province', sa.String(), nullable=False),
    sa.Column('purchase_order', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('seller_details', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('evidence', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('net_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tax_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('gross_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('supplied_on', sa.Date(), nullable=False),
    sa.Column('issued_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('gross_minor = net_minor + tax_minor', name=op.f('ck_invoices_gross')),
    sa.CheckConstraint('net_minor >= 0 AND tax_minor >= 0', name=op.f('ck_invoices_not_negative')),
    sa.ForeignKeyConstraint(['cancels_id'], ['invoices.id'], name=op.f('fk_invoices_cancels_id_invoices')),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_invoices_seller_id_sellers')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_invoices_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoices')),
    sa.UniqueConstraint('number', name=op.f('uq_invoices_number')),
    sa.UniqueConstraint('seller_id', 'kind', 'year', 'sequence', name=op.f('uq_invoices_seller_id_kind_year_sequence')),
    sa.UniqueConstraint('source', 'kind', name=op.f('uq_invoices_source_kind')),
    sa.UniqueConstraint('uuid', name=op.f('uq_invoices_uuid'))
    )
    with op.batch_alter_table('invoices', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invoices_cancels_id'), ['cancels_id'], unique=False)
        batch_op.create_index('ix_invoices_issued_on', ['issued_on', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_invoices_organisation'), ['organisation'], unique=False)
        batch_op.create_index(batch_op.f('ix_invoices_product'), ['product'], unique=False)
        batch_op.create_index(batch_op.f('ix_invoices_reference'), ['reference'], unique=False)
        batch_op.create_index('ix_invoices_seller_id_supplied_on', ['seller_id', 'supplied_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_invoices_user_id'), ['user_id'], unique=False)

    op.create_table('tax_rows',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('province', sa.String(), nullable=False),
    sa.Column('supply', sa.String(), nullable=False),
    sa.Column('buyer', sa.String(), nullable=False),
    sa.Column('jurisdiction', sa.String(), nullable=False),
    sa.Column('name', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('rate', sa.Integer(), nullable=False),
    sa.Column('category', sa.String(), nullable=False),
    sa.Column('requires', sa.String(), nullable=False),
    sa.Column('reason', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), 'postgresql'), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('created_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(category = 'S') = (rate > 0)", name=op.f('ck_tax_rows_category')),
    sa.CheckConstraint('ends_on >= starts_on', name=op.f('ck_tax_rows_days')),
    sa.CheckConstraint('rate BETWEEN 0 AND 100000', name=op.f('ck_tax_rows_rate')),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_tax_rows_seller_id_sellers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tax_rows'))
    )
    with op.batch_alter_table('tax_rows', schema=None) as batch_op:
        batch_op.create_index('ix_tax_rows_place', ['seller_id', 'country', 'province'], unique=False)

    op.create_table('invoice_documents',
    sa.Column('invoice_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('file_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('made_at', lms.core.db.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['stored_files.id'], name=op.f('fk_invoice_documents_file_id_stored_files')),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_invoice_documents_invoice_id_invoices')),
    sa.PrimaryKeyConstraint('invoice_id', name=op.f('pk_invoice_documents'))
    )
    with op.batch_alter_table('invoice_documents', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invoice_documents_file_id'), ['file_id'], unique=False)

    op.create_table('invoice_lines',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('invoice_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('net_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('gross_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_invoice_lines_quantity')),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_invoice_lines_invoice_id_invoices')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_lines')),
    sa.UniqueConstraint('invoice_id', 'position', name=op.f('uq_invoice_lines_invoice_id_position'))
    )
    op.create_table('invoice_taxes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('tax_row_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('jurisdiction', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('rate', sa.Integer(), nullable=False),
    sa.Column('category', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('base_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['line_id'], ['invoice_lines.id'], name=op.f('fk_invoice_taxes_line_id_invoice_lines')),
    sa.ForeignKeyConstraint(['tax_row_id'], ['tax_rows.id'], name=op.f('fk_invoice_taxes_tax_row_id_tax_rows')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_taxes')),
    sa.UniqueConstraint('line_id', 'position', name=op.f('uq_invoice_taxes_line_id_position'))
    )
    with op.batch_alter_table('invoice_taxes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invoice_taxes_tax_row_id'), ['tax_row_id'], unique=False)


    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for guard in sqlite_guards() if is_sqlite else postgresql_guards():
        op.execute(sa.text(guard))


def downgrade() -> None:
    with op.batch_alter_table('invoice_taxes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invoice_taxes_tax_row_id'))

    op.drop_table('invoice_taxes')
    op.drop_table('invoice_lines')
    with op.batch_alter_table('invoice_documents', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invoice_documents_file_id'))

    op.drop_table('invoice_documents')
    with op.batch_alter_table('tax_rows', schema=None) as batch_op:
        batch_op.drop_index('ix_tax_rows_place')

    op.drop_table('tax_rows')
    with op.batch_alter_table('invoices', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invoices_user_id'))
        batch_op.drop_index('ix_invoices_seller_id_supplied_on')
        batch_op.drop_index(batch_op.f('ix_invoices_reference'))
        batch_op.drop_index(batch_op.f('ix_invoices_product'))
        batch_op.drop_index(batch_op.f('ix_invoices_organisation'))
        batch_op.drop_index('ix_invoices_issued_on')
        batch_op.drop_index(batch_op.f('ix_invoices_cancels_id'))

    op.drop_table('invoices')
    op.drop_table('invoice_counters')
    op.drop_table('sellers')
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION invoicing_refuse()")
