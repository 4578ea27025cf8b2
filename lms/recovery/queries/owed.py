"""What buyers owe, and since when it is due."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, func, literal, select, union_all

from lms.ledger.queries import owed
from lms.payments.due_models import Due
from lms.payments.models import Order, OrderState
from lms.payments.queries.dues import IS_OPEN, OPEN_MINOR


def owed_by_day() -> Select[*tuple[Any, ...]]:
    """What is owed for each document and day: about, currency, due_on, owed_minor.

    The ledger says how much. What is paid in parts or on invoice is due on the days that were
    agreed; all else since it was sold.
    """
    about = (literal("order:") + Order.number).label("about")
    parts = (
        select(about, Due.currency, Due.due_on, OPEN_MINOR.label("owed_minor"))
        .join(Order, Order.id == Due.order_id)
        .where(Order.state == OrderState.OWED, IS_OPEN)
        .cte("parts")
    )
    lines = owed().cte("lines")
    agreed = (
        select(parts.c.about, parts.c.currency, func.sum(parts.c.owed_minor).label("owed_minor"))
        .group_by(parts.c.about, parts.c.currency)
        .subquery("agreed")
    )
    left = (lines.c.owed_minor - func.coalesce(agreed.c.owed_minor, 0)).label("owed_minor")
    same = and_(agreed.c.about == lines.c.about, agreed.c.currency == lines.c.currency)
    rest = (
        select(lines.c.about, lines.c.currency, lines.c.since.label("due_on"), left)
        .outerjoin(agreed, same)
        .where(left != 0)
    )
    return select(union_all(select(parts), rest).subquery("owed_by_day"))
