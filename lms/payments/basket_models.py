"""What somebody means to buy."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import Model, PrimaryKey
from lms.courses.models import CourseRun


class BasketLine(Model):
    """One thing in somebody's basket: a place in a run, or an item of another product."""

    __tablename__ = "basket_lines"
    __table_args__ = (
        UniqueConstraint("user_id", "run_id"),
        UniqueConstraint("user_id", "product", "item"),
        CheckConstraint("(run_id IS NULL) <> (item IS NULL)", name="one_thing"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    product: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("course_runs.id", ondelete="CASCADE"), index=True
    )
    item: Mapped[UUID | None]
    added_at: Mapped[datetime] = mapped_column(default=clock.now)

    user: Mapped[User] = relationship()
    run: Mapped[CourseRun | None] = relationship()
