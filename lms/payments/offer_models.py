"""Until when an offer holds."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core import clock
from lms.core.db import Model
from lms.core.settings import settings
from lms.payments.models import Order


class OrderOffer(Model):
    """An order that began as an offer, and returns to being one when it is not paid in time."""

    __tablename__ = "order_offers"

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id"), primary_key=True, autoincrement=False
    )
    valid_until: Mapped[datetime] = mapped_column(index=True)  # excluded
    reminded_at: Mapped[datetime | None]
    order: Mapped[Order] = relationship()

    @property
    def last_day(self) -> date:
        """The last day on which it holds, in the zone of the site."""
        return clock.local_date(
            self.valid_until - timedelta(seconds=1), settings().default_time_zone
        )
