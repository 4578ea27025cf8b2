"""Sums of what was sold, by course run, and the marks of runs whose sums are out of date."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.rollups import FILLED_BY_TRIGGERS, Watched, watch_when_created
from lms.payments.models import DELIVERED

NO_RUN = 0  # stands for the run of what is no place in a run


class OrderMark(Model):
    """Something changed in the orders of this run since its sums were made."""

    __tablename__ = "order_marks"
    __table_args__ = {"info": {FILLED_BY_TRIGGERS: True}}

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(BigInt, index=True)


class OrderSum(Model):
    """Orders of a run that were sold in a month and are not given back in full.

    month: in UTC, "2027-02". tier, country: "" where the order has none. listed_minor: by the list
    price of the run, where it is in the order's currency. refunded_minor: what was given back.
    """

    __tablename__ = "order_sums"

    run_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    month: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    orders: Mapped[int] = mapped_column(BigInt)
    listed_minor: Mapped[int] = mapped_column(BigInt)
    charged_minor: Mapped[int] = mapped_column(BigInt)
    refunded_minor: Mapped[int] = mapped_column(BigInt)


_SOLD = ", ".join(f"'{state.value}'" for state in DELIVERED)
_RUN_OF_REFUND = f"SELECT COALESCE(run_id, {NO_RUN}) FROM orders WHERE id = NEW.order_id"  # noqa: S608

WATCHED = (
    Watched(
        "order_marks_sold",
        "orders",
        "INSERT",
        f"SELECT COALESCE(NEW.run_id, {NO_RUN})",
        f"NEW.state IN ({_SOLD})",
    ),
    Watched(
        "order_marks_changed",
        "orders",
        "UPDATE OF state, total_minor, currency, country, run_id, quote_id, paid_at, delivered_at",
        f"SELECT COALESCE(OLD.run_id, {NO_RUN}) UNION SELECT COALESCE(NEW.run_id, {NO_RUN})",
        f"OLD.state IN ({_SOLD}) OR NEW.state IN ({_SOLD})",
    ),
    Watched(
        "order_marks_deleted",
        "orders",
        "DELETE",
        f"SELECT COALESCE(OLD.run_id, {NO_RUN})",
        f"OLD.state IN ({_SOLD})",
    ),
    Watched("order_marks_given_back", "refunds", "INSERT", _RUN_OF_REFUND, "NEW.state = 'done'"),
    Watched(
        "order_marks_refund_changed",
        "refunds",
        "UPDATE OF state",
        _RUN_OF_REFUND,
        "OLD.state = 'done' OR NEW.state = 'done'",
    ),
    Watched(
        "order_marks_priced",
        "course_runs",
        "UPDATE OF price_minor, price_currency",
        "SELECT NEW.id",
    ),
)
watch_when_created(Model.metadata, OrderMark.__tablename__, WATCHED)
