"""Find the next run of a course by an index"""

from alembic import op

revision = "e1c47b905a3d"
down_revision = "7b2f0d9a4c11"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_course_runs_course_id_starts_on", "course_runs", ["course_id", "starts_on", "id"]
    )


def downgrade() -> None:
    op.drop_index("ix_course_runs_course_id_starts_on", table_name="course_runs")
