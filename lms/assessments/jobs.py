"""Work done by the clock."""

from __future__ import annotations

from lms.assessments.services import attempts
from lms.core.outbox import Job

close_overdue = Job(
    name="assessments.close_overdue_attempts",
    run=attempts.close_overdue_attempts,
    retries=0,  # the next minute tries again
    every="* * * * *",
)
