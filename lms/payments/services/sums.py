"""The sums of what was sold: made anew for runs in which something changed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from lms.core.db import db
from lms.core.money import Money
from lms.core.rollups import recount
from lms.ledger.checks import Unexplained
from lms.ledger.kinds import Difference
from lms.payments.queries.sales import MEASURES, SUMMED_BY, read_sums
from lms.payments.sum_models import OrderMark, OrderSum


def count_orders() -> int:
    """Make the sums of some marked runs anew; how many runs."""
    return recount(OrderMark, OrderSum, (*SUMMED_BY, *MEASURES), read_sums)


def differing_sums() -> Iterable[Unexplained]:
    """Sums of runs without a mark that are not what the orders say."""
    marks = set(db.session.scalars(select(OrderMark.run_id)))
    columns = (getattr(OrderSum, name) for name in (*SUMMED_BY, *MEASURES))
    told = {tuple(row[:5]): tuple(map(int, row[5:])) for row in db.session.execute(read_sums())}
    kept = {tuple(row[:5]): tuple(row[5:]) for row in db.session.execute(select(*columns))}
    for key in sorted(told.keys() | kept.keys()):
        run_id, month, currency, *_rest = key
        if run_id not in marks and told.get(key) != kept.get(key):
            charged = told.get(key, (0, 0, 0, 0))[2] - kept.get(key, (0, 0, 0, 0))[2]
            where = f"order_sums {run_id} {month}"
            yield Unexplained(Difference.SUM, where, Money(charged, currency))
