from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Course, CourseRun
from lms.scholarships.criteria import Criteria
from lms.scholarships.models import Application, Fund
from lms.scholarships.queries import today
from lms.scholarships.services import applications, funds
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_run

PRICE = Money(12_000, "CAD")

_numbers = itertools.count(1)


def make_priced_run(course: Course | None = None, **values: Any) -> CourseRun:
    """A published run that costs 120 CAD."""
    return make_run(course, **({"price": PRICE} | values))


def make_fund(minor: int = 100_000, currency: str = "CAD", **values: Any) -> Fund:
    """An open fund for everybody, with this much paid in; gives 50, 75 or 100 per cent."""
    by = values.pop("by", None) or make_administrator()
    number = next(_numbers)
    key = values.pop("key", f"fund-{number}")
    terms = {
        "name": {"en": f"Andes fund {number}"},
        "description": {"en": "For planners of small towns."},
        "donor": "Ana Giver",
        "shows_donor": True,
        "criteria": Criteria(),
        "percents": (50, 75, 100),
        "opens_on": today() - timedelta(days=7),
    }
    fund = funds.make_fund(key, currency, funds.FundTerms(**(terms | values)), by)
    if minor:
        funds.pay_in(fund, Money(minor, currency), today(), f"gift {number}", by)
    db.session.commit()
    return fund


def make_application(
    fund: Fund | None = None, run: CourseRun | None = None, user: User | None = None, **values: Any
) -> Application:
    """An application that waits for its decision."""
    percent = values.pop("percent", 100)
    fund, run, user = fund or make_fund(), run or make_priced_run(), user or make_user()
    found = applications.apply(run, user, fund, percent, values.pop("statement", "I plan a town."))
    db.session.commit()
    return found


def make_award(
    fund: Fund | None = None, run: CourseRun | None = None, user: User | None = None, **values: Any
) -> Application:
    """An award that can be used for a month."""
    percent = values.pop("percent", 100)
    last_day = values.pop("expires_on", clock.now().date() + timedelta(days=30))
    application = make_application(fund, run, user, percent=percent)
    by = make_administrator()
    found = applications.award(application, percent, last_day, "Welcome.", by)
    db.session.commit()
    return found
