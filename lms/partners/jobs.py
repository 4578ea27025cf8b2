"""What the clock starts: shares that are missing."""

from __future__ import annotations

from lms.core.db import db, transaction
from lms.core.outbox import Job
from lms.courses.models import CourseRun
from lms.partners.services import sharing


def share_missing() -> None:
    """Post what is missing of shares, a transaction for each run."""
    with transaction(write=False):
        runs = [run.id for run in sharing.runs_with_agreements()]
    for run_id in runs:
        with transaction():
            sharing.share_run(db.session.get_one(CourseRun, run_id))


JOBS = [Job("partners.share_missing", share_missing, writes=False, every="45 * * * *")]
