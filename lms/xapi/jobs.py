"""Forwarding after commit and by the clock; what is forgotten by the clock."""

from __future__ import annotations

from lms.core.outbox import Job
from lms.xapi.services import forwarding
from lms.xapi.services.refused import remove_old_refused
from lms.xapi.services.sessions import remove_old_sessions

JOBS = [
    Job("xapi.forward", forwarding.forward, writes=False, retries=3),
    Job("xapi.wake_forwarding", forwarding.wake_all, every="* * * * *"),
    Job("xapi.remove_old_refused", remove_old_refused, every="23 * * * *"),
    Job("xapi.remove_old_sessions", remove_old_sessions, every="53 3 * * *"),
]
