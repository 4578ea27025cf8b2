"""One page that says how things stand."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from lms.accounts.permissions import can, require
from lms.ledger.services.check import last_check
from lms.recovery.permissions import READ
from lms.recovery.queries import break_even
from lms.recovery.queries.glance import two_months
from lms.recovery.reports import REPORTS
from lms.recovery.views import bp


@bp.get("/admin/recovery")
def glance() -> ResponseReturnValue:
    """This month and the last: money by currency, completions, what waits for a decision."""
    require(READ)
    return render_template(
        "recovery/glance.html",
        months=two_months(),
        check=last_check(),
        waiting=break_even.waiting_for_decision(),
        reports=[report for report in REPORTS if can(report.permission)],
    )
