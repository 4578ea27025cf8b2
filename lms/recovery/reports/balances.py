"""What is owed and kept: receivables by age, tax, funds, partners; and what nobody can explain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from flask import url_for
from flask_babel import lazy_gettext
from sqlalchemy import case, false, func, or_, select

from lms.core.db import db
from lms.ledger.accounts import Account, account_label, is_debit_account
from lms.ledger.models import LedgerCheckRun
from lms.ledger.queries import movements
from lms.recovery.permissions import READ
from lms.recovery.queries.break_even import today
from lms.recovery.queries.money import month_of
from lms.recovery.queries.owed import owed_by_day
from lms.recovery.reports.shared import CURRENCY, PERIOD_OF
from lms.reports.base import (
    Column,
    Filters,
    Report,
    RowValues,
    Selection,
    Statement,
    Topic,
    report_url,
)

AGES = {  # youngest first; days since it was due at most, None: without end
    "a-early": (0, lazy_gettext("not due yet")),
    "b-30": (30, lazy_gettext("1 to 30 days late")),
    "c-60": (60, lazy_gettext("31 to 60 days late")),
    "d-90": (90, lazy_gettext("61 to 90 days late")),
    "e-more": (None, lazy_gettext("more than 90 days late")),
}
AGE = Selection(
    "age",
    lazy_gettext("Age"),
    lazy_gettext("Any age"),
    lambda filters: [(name, str(words)) for name, (_days, words) in AGES.items()],
    lazy_gettext("There is no such age. Choose one of the list."),
)


class Owed(Report):
    """Each part of a document that somebody still owes."""

    topic = Topic.BALANCES
    name = "recovery-owed"
    label = lazy_gettext("Owed by buyers")
    description = lazy_gettext(
        "Each order or invoice that is not paid in full, and when each part of it is due."
    )
    permission = READ
    has_period = False
    selections = (CURRENCY, AGE)
    order = ("due_on", "about")
    is_list = True

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The document, when it is due, and how much."""
        return [
            Column("number", lazy_gettext("Order or invoice")),
            Column("due_on", lazy_gettext("Due on"), "date"),
            Column("age", lazy_gettext("Age"), words=lambda name: str(AGES[name][1])),
            Column("currency", lazy_gettext("Currency"), in_files_only=True),
            Column("owed", lazy_gettext("Owed"), "money", has_total=True),
        ]

    def statement(self, filters: Filters) -> Statement:
        """What receivables hold for each document and day."""
        lines = owed_by_day().subquery("lines")
        days = [
            (lines.c.due_on >= today() - timedelta(days=limit), name)
            for name, (limit, _words) in AGES.items()
            if limit is not None
        ]
        rows = select(
            lines.c.about,
            func.replace(lines.c.about, "order:", "").label("number"),
            lines.c.currency,
            lines.c.due_on,
            case(*days, else_="e-more").label("age"),
            lines.c.owed_minor.label("owed"),
        ).subquery("owed")
        found: Statement = select(rows)
        if (currency := filters.get("currency")) is not None:
            found = found.where(rows.c.currency == currency)
        if (age := filters.get("age")) is not None:
            found = found.where(rows.c.age == age)
        return found

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """All entries of the document."""
        if column.name in ("number", "owed"):
            return url_for("ledger.entries", about=row["about"])
        return None


class Ageing(Report):
    """What is owed by its age."""

    topic = Topic.BALANCES
    name = "recovery-ageing"
    label = lazy_gettext("What is owed, by age")
    description = lazy_gettext("How much buyers owe in each currency, and how late it is.")
    permission = READ
    has_period = False
    selections = (CURRENCY,)
    order = ("age", "currency")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The age, how many documents, and how much."""
        return [
            Column("age", lazy_gettext("Age"), words=lambda name: str(AGES[name][1])),
            Column("currency", lazy_gettext("Currency"), in_files_only=True),
            Column("documents", lazy_gettext("Orders and invoices"), "number"),
            Column("owed", lazy_gettext("Owed"), "money", has_total=True),
        ]

    def statement(self, filters: Filters) -> Statement:
        """The documents by age and currency."""
        rows = Owed().statement(filters).subquery("rows")
        return select(
            rows.c.age,
            rows.c.currency,
            func.count(rows.c.about.distinct()).label("documents"),
            func.sum(rows.c.owed).label("owed"),
        ).group_by(rows.c.age, rows.c.currency)

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The documents behind a figure."""
        if column.name in ("documents", "owed"):
            behind = filters.narrowed(currency=row["currency"], age=row["age"])
            return report_url(Owed.name, behind)
        return None


class AccountReport(Report):
    """What went into and out of some accounts of the ledger, and what they hold at the end."""

    topic = Topic.BALANCES
    permission = READ
    period_of = PERIOD_OF
    selections = (CURRENCY,)
    order: ClassVar[Sequence[str]] = ("account", "currency")
    kinds: ClassVar[Sequence[Account]]
    by_month: ClassVar[bool] = False

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The account, what came in, what went out, the balance."""
        month = [Column("month", lazy_gettext("Month"), "month")] if self.by_month else []
        return [
            *month,
            Column("account", lazy_gettext("Account"), words=account_label),
            Column("currency", lazy_gettext("Currency"), in_files_only=True),
            Column("more", lazy_gettext("Came in"), "money", has_total=True),
            Column("less", lazy_gettext("Went out"), "money", has_total=True),
            Column("balance", lazy_gettext("Balance"), "money", has_total=True),
        ]

    def statement(self, filters: Filters) -> Statement:
        """The accounts by currency; a balance is of all time until the end of the period."""
        lines = movements()
        account = lines.c.account
        first, last = month_of(filters.first), month_of(filters.last)
        is_debit = or_(
            false(), *(account.startswith(k.value) for k in self.kinds if is_debit_account(k))
        )
        up, down = lines.c.debit_minor, lines.c.credit_minor
        more = case((is_debit, up), else_=down)
        less = case((is_debit, down), else_=up)
        within = lines.c.month >= first if first is not None else lines.c.month == lines.c.month
        by = [(lines.c.month + "-01").label("month")] if self.by_month else []
        balance = case((within, more - less), else_=0) if self.by_month else more - less
        found = (
            select(
                *by,
                account.label("account"),
                lines.c.currency.label("currency"),
                func.sum(case((within, more), else_=0)).label("more"),
                func.sum(case((within, less), else_=0)).label("less"),
                func.sum(balance).label("balance"),
            )
            .where(
                or_(
                    *(account == kind.value for kind in self.kinds),
                    *(account.startswith(f"{kind.value}:") for kind in self.kinds),
                )
            )
            .group_by(*([lines.c.month] if self.by_month else []), account, lines.c.currency)
        )
        if last is not None:
            found = found.where(lines.c.month <= last)
        if self.by_month and first is not None:
            found = found.where(lines.c.month >= first)
        if (currency := filters.get("currency")) is not None:
            found = found.where(lines.c.currency == currency)
        return found

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The entries of the account."""
        if column.name not in ("account", "more", "less", "balance"):
            return None
        month = row["month"][:7] if self.by_month else None
        return url_for("ledger.entries", account=row["account"], month=month)


class TaxSheet(AccountReport):
    """Tax charged and taken back, month by month."""

    name = "recovery-tax"
    label = lazy_gettext("Tax sheet")
    description = lazy_gettext("Tax charged, taken back or paid on, month by month.")
    kinds = (Account.TAX,)
    by_month = True
    order = ("-month", "account", "currency")


class PartnerBalances(AccountReport):
    """What is owed to partners, and what they collected for us."""

    name = "recovery-partners"
    label = lazy_gettext("Partners")
    description = lazy_gettext(
        "What is owed to each partner, and what each has collected and not handed on."
    )
    kinds = (Account.PARTNER_PAYABLE, Account.PARTNER_RECEIVABLE)


class UnexplainedMoney(Report):
    """How many things each check of the ledger could not explain. The target is 0."""

    topic = Topic.BALANCES
    name = "recovery-unexplained"
    label = lazy_gettext("Unexplained money")
    description = lazy_gettext(
        "How many things each nightly check of the ledger found unexplained. The target is 0."
    )
    permission = READ
    order = ("-made_at", "-id")
    is_list = True

    def columns(self, filters: Filters) -> Sequence[Column]:
        """When, and how many."""
        return [
            Column("made_at", lazy_gettext("Checked"), "date"),
            Column("found", lazy_gettext("Not explained"), "number"),
        ]

    def statement(self, filters: Filters) -> Statement:
        """The checks of the period."""
        is_sqlite = db.session.get_bind().dialect.name == "sqlite"
        length = func.json_array_length if is_sqlite else func.jsonb_array_length
        found: Statement = select(
            LedgerCheckRun.id,
            LedgerCheckRun.made_at,
            length(LedgerCheckRun.unexplained).label("found"),
        )
        if filters.since is not None:
            found = found.where(LedgerCheckRun.made_at >= filters.since)
        if filters.until is not None:
            found = found.where(LedgerCheckRun.made_at < filters.until)
        return found

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The ledger's page, which lists them."""
        return url_for("ledger.balances")


REPORTS: list[Report] = [
    Ageing(),
    Owed(),
    TaxSheet(),
    PartnerBalances(),
    UnexplainedMoney(),
]
