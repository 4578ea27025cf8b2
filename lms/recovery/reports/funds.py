"""What scholarship funds got, awarded, paid and got back."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, case, func, literal, select

from lms.core.db import db
from lms.core.text import in_language
from lms.ledger.accounts import Account, account_label
from lms.ledger.kinds import EntryKind
from lms.ledger.queries import movements
from lms.recovery.permissions import READ
from lms.recovery.queries.money import month_of
from lms.recovery.reports.shared import CURRENCY, PERIOD_OF
from lms.reports.base import Column, Filters, Report, RowValues, Statement, Topic
from lms.scholarships.models import Fund

BEHIND = {
    "paid_in": EntryKind.FUND_PAID_IN,
    "used": EntryKind.SALE,
    "given_back": EntryKind.CREDIT_NOTE,
}


class FundBalances(Report):
    """Each fund by the ledger: paid in less used and given back is what it holds."""

    topic = Topic.BALANCES
    name = "recovery-funds"
    label = lazy_gettext("Scholarship funds")
    description = lazy_gettext(
        "What came into each fund, what is awarded, used and given back, and what is left."
    )
    permission = READ
    period_of = PERIOD_OF
    selections = (CURRENCY,)
    order = ("account", "currency")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The fund and its figures; awards that are not used yet are those of today."""
        names = {fund.account: in_language(fund.name) for fund in _funds()}
        return [
            Column(
                "account",
                lazy_gettext("Fund"),
                words=lambda code: names.get(code) or account_label(code),
            ),
            Column("currency", lazy_gettext("Currency"), in_files_only=True),
            Column("paid_in", lazy_gettext("Paid in"), "money", has_total=True),
            Column("used", lazy_gettext("Used"), "money", has_total=True),
            Column("given_back", lazy_gettext("Given back to it"), "money", has_total=True),
            Column("balance", lazy_gettext("In the fund"), "money", has_total=True),
            Column("awarded", lazy_gettext("Held for awards"), "money", has_total=True),
            Column("free", lazy_gettext("Left to award"), "money", has_total=True),
        ]

    def statement(self, filters: Filters) -> Statement:
        """The funds' accounts; what they hold is of all time until the end of the period."""
        lines = movements()
        account, kind = lines.c.account, lines.c.kind
        first, last = month_of(filters.first), month_of(filters.last)
        within = lines.c.month >= first if first is not None else lines.c.month == lines.c.month
        is_back = kind.in_([EntryKind.CREDIT_NOTE, EntryKind.CREDIT_NOTE_UNDONE])
        more = lines.c.credit_minor - lines.c.debit_minor
        balance = func.sum(more)
        awarded = _reserved(account)
        found = (
            select(
                account.label("account"),
                lines.c.currency.label("currency"),
                func.sum(case((within & ~is_back, lines.c.credit_minor), else_=0)).label("paid_in"),
                func.sum(case((within & ~is_back, lines.c.debit_minor), else_=0)).label("used"),
                func.sum(case((within & is_back, more), else_=0)).label("given_back"),
                balance.label("balance"),
                awarded.label("awarded"),
                (balance - awarded).label("free"),
            )
            .where(account.startswith(f"{Account.FUND.value}:"))
            .group_by(account, lines.c.currency)
        )
        if last is not None:
            found = found.where(lines.c.month <= last)
        if (currency := filters.get("currency")) is not None:
            found = found.where(lines.c.currency == currency)
        return found

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The fund, its entries of this kind, or its awards."""
        if column.name == "awarded":
            key = _key(row["account"])
            return url_for("scholarships.admin_applications", state="awarded", fund=key)
        if column.name in ("account", "free"):
            return url_for("scholarships.admin_fund", key=_key(row["account"]))
        if column.name in (*BEHIND, "balance"):
            return url_for("ledger.entries", account=row["account"], kind=BEHIND.get(column.name))
        return None


def _key(account: str) -> str:
    """The fund of an account: a key has small letters, digits and single hyphens."""
    name = account.rpartition(":")[2]
    return name[:1].lower() + name[1:]


def _funds() -> Sequence[Fund]:
    return db.session.scalars(select(Fund).order_by(Fund.id)).all()


def _reserved(account: ColumnElement[str]) -> ColumnElement[int]:
    """What the fund of an account holds for awards."""
    held = {fund.account: fund.reserved_minor for fund in _funds() if fund.reserved_minor}
    return func.max(case(held, value=account, else_=0)) if held else literal(0)


REPORTS: list[Report] = [FundBalances()]
