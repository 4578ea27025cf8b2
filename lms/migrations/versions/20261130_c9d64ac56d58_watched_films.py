"""Remember what was watched of films"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lms.core.db import AnyJSON, BigInt, UtcDateTime

revision = "c9d64ac56d58"
down_revision = "4a7c1e9b5d20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "playbacks",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("enrolment_id", BigInt, nullable=False),
        sa.Column("activity_id", BigInt, nullable=False),
        sa.Column("segments", AnyJSON, nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["activities.id"],
            name=op.f("fk_playbacks_activity_id_activities"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolments.id"],
            name=op.f("fk_playbacks_enrolment_id_enrolments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbacks")),
        sa.UniqueConstraint(
            "enrolment_id", "activity_id", name=op.f("uq_playbacks_enrolment_id_activity_id")
        ),
    )
    op.create_index(op.f("ix_playbacks_activity_id"), "playbacks", ["activity_id"])
    op.create_table(
        "playback_sessions",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("playback_id", BigInt, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("playing_from", sa.Double(), nullable=True),
        sa.Column("playing_since", UtcDateTime(), nullable=True),
        sa.Column("has_ended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["playback_id"],
            ["playbacks.id"],
            name=op.f("fk_playback_sessions_playback_id_playbacks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playback_sessions")),
        sa.UniqueConstraint("uuid", name=op.f("uq_playback_sessions_uuid")),
    )
    op.create_index(op.f("ix_playback_sessions_playback_id"), "playback_sessions", ["playback_id"])


def downgrade() -> None:
    op.drop_table("playback_sessions")
    op.drop_table("playbacks")
