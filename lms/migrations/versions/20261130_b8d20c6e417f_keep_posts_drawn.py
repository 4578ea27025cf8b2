"""Keep posts drawn

Posts that were there before are drawn for their readers until their text changes, or until
`lms draw-posts` has drawn them.
"""

import sqlalchemy as sa
from alembic import op

revision = "b8d20c6e417f"
down_revision = "c0d4d1a85e86"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posts", sa.Column("html", sa.String(), nullable=True))
    op.add_column("posts", sa.Column("html_edition", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("posts", "html_edition")
    op.drop_column("posts", "html")
