"""Forwarding after commit and by the clock."""

from __future__ import annotations

from lms.core.outbox import Job
from lms.xapi.services import forwarding

JOBS = [
    Job("xapi.forward", forwarding.forward, writes=False, retries=3),
    Job("xapi.forward_refused", forwarding.forward_refused, writes=False, retries=3),
    Job("xapi.wake_forwarding", forwarding.wake_all, every="* * * * *"),
]
