"""Work after commit and by the clock: forwarding, counting, erasing, forgetting."""

from __future__ import annotations

from lms.core.outbox import Job
from lms.xapi.services import alarms, erasure, forwarding, retention, summaries
from lms.xapi.services.refused import remove_old_refused
from lms.xapi.services.sessions import remove_old_sessions

JOBS = [
    Job("xapi.forward", forwarding.forward, writes=False, retries=3),
    Job("xapi.wake_forwarding", forwarding.wake_all, every="* * * * *"),
    Job("xapi.watch_forwarding", alarms.watch_targets, every="*/10 * * * *"),
    Job("xapi.count_statements", summaries.count_new, every="* * * * *", writes=False),
    Job("xapi.keep_rules", retention.keep_rules, every="17 3 * * *", writes=False),
    Job("xapi.run_rule", retention.run_rule, writes=False),
    Job("xapi.erase_person", retention.carry_out),
    Job("xapi.delete_attachment", erasure.delete_attachment, writes=False),
    Job("xapi.remove_old_refused", remove_old_refused, every="23 * * * *"),
    Job("xapi.remove_old_sessions", remove_old_sessions, every="53 3 * * *"),
]
