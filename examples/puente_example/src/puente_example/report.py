"""A report: accounts by profession."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, func, select

from lms.accounts.models import User
from lms.reports.base import Column, Filters, Report


class AccountsByProfession(Report):
    """How many people of each profession have an account."""

    name = "accounts-by-profession"
    label = "Accounts by profession"
    description = "How many people of each profession have an account."
    has_period = False
    order = ("-accounts", "profession")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """Profession and number."""
        return [
            Column("profession", "Profession"),
            Column("accounts", "Accounts", kind="number", has_total=True),
        ]

    def statement(self, filters: Filters) -> Select[str, int]:
        """One row for each profession that somebody named."""
        profession = func.coalesce(User.profession, "–").label("profession")
        return (
            select(profession, func.count().label("accounts"))
            .where(User.closed_at.is_(None))
            .group_by(profession)
        )
