"""How many statements there are of each day and verb, from the kept counts."""

from __future__ import annotations

from datetime import timedelta

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_decimal

from lms.accounts.permissions import require
from lms.core import clock
from lms.xapi.sentences import verb_text
from lms.xapi.services import summaries
from lms.xapi.views.shared import admin

DAYS = 30


@admin.get("/figures")
def show_figures() -> ResponseReturnValue:
    """The last thirty days: a bar for each day, and what was done how often."""
    require("xapi.administer")
    today = clock.now().date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    by_day = summaries.counts_by_day(days[0])
    bars = [
        {
            "label": format_date(day, "d MMM"),
            "value": by_day.get(day, 0),
            "text": format_decimal(by_day.get(day, 0)),
        }
        for day in days
    ]
    by_verb = summaries.counts_by_verb(days[0])
    page = {
        "bars": bars,
        "verbs": [(verb, verb_text(verb), count) for verb, count in by_verb.items()],
        "behind": summaries.not_counted_yet(),
    }
    return render_template("xapi/figures.html", **page)
