"""Remember since when forwarding fails, and who was told of it"""

import sqlalchemy as sa
from alembic import op

from lms.core.db import UtcDateTime

revision = "e5b8a1c70f36"
down_revision = "e1c47b905a3d"
branch_labels = None
depends_on = None

_COLUMNS = ("failing_since", "told_down_at", "told_refused_at")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("xapi_forwarding_targets", sa.Column(name, UtcDateTime(), nullable=True))


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("xapi_forwarding_targets", name)
