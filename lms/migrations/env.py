"""How Alembic reaches the database: through the running app."""

from __future__ import annotations

from alembic import context

from lms.core.db import Model, db, write_intent


def run() -> None:
    """Run the migrations on the app's engine."""
    with write_intent(True), db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Model.metadata,
            render_as_batch=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
