"""What the clock starts."""

from __future__ import annotations

from lms.core.db import db, transaction
from lms.core.outbox import Job
from lms.scholarships import queries
from lms.scholarships.models import Application
from lms.scholarships.services.applications import expire


def expire_awards() -> None:
    """End what is past its last day, a transaction for each, and free what it held."""
    with transaction(write=False):
        found = list(queries.over(queries.today()))
    for application_id in found:
        with transaction():
            expire(db.session.get_one(Application, application_id))


JOBS = [Job("scholarships.expire_awards", expire_awards, writes=False, every="10 * * * *")]
