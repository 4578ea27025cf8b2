"""Who paid, and the words of a payment, as banks tell them: forgotten with the person or in time.

Day, sum, the bank's own number and the entry of each line stay, and the line is still known when
its file comes again.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, or_, select, update

from lms.core import clock
from lms.core.db import db
from lms.payments.bank_models import BankLine
from lms.payments.movement_models import GatewayMovement, MovementState
from lms.payments.queries import bank as queries

KEPT_FOR = timedelta(days=400)  # the year's books are closed by then


def forget_person(user_id: int) -> None:
    """Forget what banks said of a person's payments and refunds."""
    lines = queries.lines_of_person(user_id).order_by(None)
    _forget(lines.with_only_columns(BankLine.movement_id))


def forget_old_names() -> None:
    """Forget the words of old lines, unless a person still has to look at them."""
    _forget(
        select(BankLine.movement_id)
        .join(GatewayMovement, GatewayMovement.id == BankLine.movement_id)
        .where(
            BankLine.day < (clock.now() - KEPT_FOR).date(),
            or_(BankLine.name != "", BankLine.text != ""),
            GatewayMovement.state != MovementState.OPEN,
        )
    )


def _forget(lines: Select[int]) -> None:
    db.session.execute(
        update(GatewayMovement)
        .where(GatewayMovement.id.in_(lines))
        .values(category="")
        .execution_options(synchronize_session="fetch")
    )
    db.session.execute(
        update(BankLine)
        .where(BankLine.movement_id.in_(lines))
        .values(name="", text="")
        .execution_options(synchronize_session="fetch")
    )
