"""What the clock starts."""

from __future__ import annotations

from lms.core.outbox import Job
from lms.pricing.services.residence import tell_of_gaps

JOBS = [Job("pricing.tell_of_gaps", tell_of_gaps, every="20 6 * * 1")]
