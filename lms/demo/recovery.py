"""What the demo's runs cost, and when it is decided whether they take place."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Course, CourseRun
from lms.recovery.models import CostBasis, CostKind, RunBudget
from lms.recovery.services.costs import add_cost, set_budget

# slug of the run: fixed costs and costs of one learner in minor units, days until the decision
RUNS = {"now": (98_000, 600, None), "next": (126_000, 600, 12), "abril": (410_000, 3_000, 60)}


def ensure_costs(course: Course, administrator: User, today: date) -> None:
    """Costs of the paid course's runs, unless they are written down."""
    runs = db.session.scalars(
        select(CourseRun).where(CourseRun.course_id == course.id, CourseRun.slug.in_(RUNS))
    )
    for run in runs:
        if db.session.get(RunBudget, run.id) is not None:
            continue
        fixed, each, days = RUNS[run.slug]
        currency = run.price.currency
        for basis, kind, minor, note in (
            (CostBasis.FIXED, CostKind.TEACHING, fixed, "Two instructors"),
            (CostBasis.FIXED, CostKind.PLATFORM, fixed // 10, ""),
            (CostBasis.PER_LEARNER, CostKind.CERTIFICATES, each, ""),
        ):
            amount = Money(minor, currency)
            add_cost(run, basis, kind, amount, today, note, administrator.id)
        decide_on = today + timedelta(days=days) if days is not None else None
        set_budget(run, decide_on, 300, 2_000, administrator.id)
