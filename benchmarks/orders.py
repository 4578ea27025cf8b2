"""Many orders with all that belongs to them, as the house itself would have left them.

600 course runs of four weeks over three years, each sold in the sixty days before it begins. Every
order has its quote, place, payment, receipt and entries; one in fifty got a half back before the
start, and a few paid twice and wait for the second sum. Weeks are posted by run, week, currency,
country and way to pay, as the nightly job does. All of it is consistent: `lms ledger check` has
nothing to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from benchmarks.bulk import load
from lms.accounts.models import User
from lms.core.db import Model
from lms.core.money import Money
from lms.courses.models import CourseRun, Enrolment
from lms.ledger.models import LedgerEntry, LedgerOwed, LedgerPosting, LedgerSum
from lms.ledger.queries import (
    DIMENSIONS,
    SUMMED,
    debit_and_credit,
    postings_by_dimension,
    receivable_postings,
)
from lms.payments.models import Order, OrderRevenue, Payment, Receipt, Refund
from lms.pricing.models import Quote

COURSES, RUNS, WEEKS, DAYS = 60, 600, 4, 1_080
COUNTRIES = {  # currency, tier, price in minor units
    "CA": ("CAD", "high", 20_000), "US": ("USD", "high", 15_000), "CL": ("CLP", "high", 140_000),
    "PE": ("PEN", "upper_middle", 27_000), "CO": ("COP", "upper_middle", 30_000_000),
    "BO": ("BOB", "lower_middle", 31_000), "UG": ("USD", "low", 2_300),
}  # fmt: skip
_COUNTRIES = list(COUNTRIES)
POSTED = datetime(2026, 1, 1, tzinfo=UTC)
RECEIVABLE, DEFERRED, COURSES_INCOME = "Assets:Receivable", "Liabilities:Deferred", "Income:Courses"


@dataclass(frozen=True)
class Sold:
    """One order, by its number from 1."""

    key: int
    run: int
    user: int
    country: str
    currency: str
    tier: str
    minor: int
    rail: str
    paid_on: date
    back: int
    is_paid_twice: bool

    @property
    def number(self) -> str:
        """For people, as of a year."""
        return f"P-{self.paid_on.year}-{self.key:07d}"

    @property
    def money_account(self) -> str:
        """Where its money lies."""
        return "Assets:Bank" if self.rail == "bank_transfer" else "Assets:Clearing:Stripe"


class Orders:
    """Writes so many orders of so many runs, the last of which ends the day before `last_day`."""

    def __init__(
        self, connection: Connection, orders: int, last_day: date, runs: int = RUNS
    ) -> None:
        self.connection, self.orders, self.last_day = connection, orders, last_day
        self.runs, self.users = runs, max(orders // runs + 1, 100)

    def begins(self, run: int) -> date:
        """The first day of a run, by its number from 0."""
        return self.last_day - timedelta(days=7 * WEEKS + (self.runs - 1 - run) * DAYS // self.runs)

    def sold(self) -> Iterator[Sold]:
        """The orders, in the order of their numbers."""
        for key in range(1, self.orders + 1):
            run = key % self.runs
            user = (key // self.runs + run * 31) % self.users
            country = _COUNTRIES[(user + run) % len(_COUNTRIES)]
            currency, tier, minor = COUNTRIES[country]
            rail = "bank_transfer" if user % 5 == 0 else "stripe"
            paid_on = self.begins(run) - timedelta(days=3 + key * 7 % 57)
            back = minor // 2 if key % 50 == 7 else 0
            twice = key % 3_333 == 11 and not back
            yield Sold(key, run, user, country, currency, tier, minor, rail, paid_on, back, twice)

    def write(self) -> None:
        """All tables. The courses, whose ids count from 1, were made before."""
        write = self._write
        write(CourseRun, self._runs())
        write(User, self._people())
        write(Quote, self._quotes())
        write(Enrolment, self._enrolments())
        write(Order, self._orders())
        write(Payment, self._payments())
        write(Refund, self._refunds())
        write(Receipt, self._receipts())
        write(
            OrderRevenue,
            (
                {"order_id": one.key, "deferred_minor": 0, "weeks_earned": WEEKS}
                for one in self.sold()
            ),
        )
        write(LedgerEntry, (entry for entry, _amounts in self._entries()))
        write(LedgerPosting, self._postings())
        table = LedgerEntry.__table__
        seals = Model.metadata.tables["ledger_seals"]
        self.connection.execute(insert(seals).from_select(["entry_id"], select(table.c.id)))
        sums = (
            select(*postings_by_dimension(), *debit_and_credit())
            .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
            .group_by(*postings_by_dimension())
        )
        self.connection.execute(insert(LedgerSum).from_select([*DIMENSIONS, *SUMMED], sums))
        owed = ["about", "currency", "owed_minor", "since"]
        self.connection.execute(insert(LedgerOwed).from_select(owed, receivable_postings()))
        self.connection.commit()

    def _write(self, model: type[Model], rows: Iterator[dict[str, Any]]) -> None:
        load(self.connection, Model.metadata.tables[model.__tablename__], rows)

    def _at(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 15, tzinfo=UTC)

    def _runs(self) -> Iterator[dict[str, Any]]:
        for run in range(self.runs):
            begins = self.begins(run)
            yield {
                "id": run + 1, "course_id": run % COURSES + 1, "slug": f"bench-{run}",
                "starts_on": begins, "ends_on": begins + timedelta(days=7 * WEEKS - 1),
                "time_zone": "UTC", "language": "en", "release": "at_once",
                "state": "published", "price_minor": 20_000, "price_currency": "CAD",
            }  # fmt: skip

    def _people(self) -> Iterator[dict[str, Any]]:
        for number in range(self.users):
            name, mail = f"Person {number}", f"person-{number}@example.org"
            yield {
                "id": 1_000 + number, "email": mail, "email_folded": mail, "name": name,
                "search_text": f"{name} {mail}".lower(), "country": "BO", "created_at": POSTED,
            }  # fmt: skip

    def _quotes(self) -> Iterator[dict[str, Any]]:
        for one in self.sold():
            yield {
                "id": one.key, "run_id": one.run + 1, "user_id": 1_000 + one.user,
                "country": one.country, "tier": one.tier, "currency": one.currency,
                "price_minor": one.minor, "total_minor": one.minor, "steps": [],
                "made_at": self._at(one.paid_on), "expires_at": self._at(one.paid_on),
            }  # fmt: skip

    def _enrolments(self) -> Iterator[dict[str, Any]]:
        for one in self.sold():
            yield {
                "id": one.key, "run_id": one.run + 1, "user_id": 1_000 + one.user,
                "state": "active", "method": "payment", "created_at": self._at(one.paid_on),
                "enrolled_at": self._at(one.paid_on),
            }  # fmt: skip

    def _orders(self) -> Iterator[dict[str, Any]]:
        for one in self.sold():
            yield {
                "id": one.key, "number": one.number, "user_id": 1_000 + one.user,
                "run_id": one.run + 1, "enrolment_id": one.key, "quote_id": one.key,
                "currency": one.currency, "amount_minor": one.minor, "total_minor": one.minor,
                "state": "partially_refunded" if one.back else "paid", "gateway": one.rail,
                "country": one.country, "buyer_name": f"Person {one.user}", "language": "en",
                "created_at": self._at(one.paid_on), "paid_at": self._at(one.paid_on),
            }  # fmt: skip

    def _payments(self) -> Iterator[dict[str, Any]]:
        for one in self.sold():
            paid = {
                "id": one.key, "order_id": one.key, "gateway": one.rail,
                "reference": f"pi_{one.key}", "currency": one.currency, "amount_minor": one.minor,
                "refunded_minor": one.back, "exception": None,
                "received_at": self._at(one.paid_on),
            }  # fmt: skip
            yield paid
            if one.is_paid_twice:
                again = {"id": self.orders + one.key, "reference": f"pi_{one.key}_2"}
                yield paid | again | {"refunded_minor": one.minor, "exception": "paid_twice"}

    def _refunds(self) -> Iterator[dict[str, Any]]:
        for one in self.sold():
            if one.back or one.is_paid_twice:
                at = self._at(one.paid_on + timedelta(days=2))
                yield {
                    "id": one.key, "order_id": one.key, "currency": one.currency,
                    "payment_id": one.key if one.back else self.orders + one.key,
                    "amount_minor": one.back or one.minor,
                    "reason": "by_buyer" if one.back else "paid_twice",
                    "state": "done" if one.back else "requested",
                    "reference": f"re_{one.key}" if one.back else None,
                    "created_at": at, "done_at": at if one.back else None,
                }  # fmt: skip

    def _receipts(self) -> Iterator[dict[str, Any]]:
        for one in self.sold():
            yield {
                "id": one.key, "order_id": one.key, "year": one.paid_on.year,
                "sequence": one.key, "issued_at": self._at(one.paid_on), "seller": {},
            }  # fmt: skip

    def _entries(self) -> Iterator[tuple[dict[str, Any], list[tuple[str, Money]]]]:
        """Entries with what they move, as the services post them."""
        taught: dict[tuple[int, str, str, str], int] = defaultdict(int)
        key = 0
        for one in self.sold():
            for kind, source, day, amounts in self._told(one):
                key += 1
                yield self._entry(key, kind, source, one.number, one, day), amounts
            taught[one.run, one.currency, one.country, one.rail] += one.minor - one.back
        for (run, currency, country, rail), minor in sorted(taught.items()):
            for week in range(1, WEEKS + 1):
                key += 1
                part = minor // WEEKS + (minor % WEEKS if week == WEEKS else 0)
                day = self.begins(run) + timedelta(days=7 * week - 1)
                row = {
                    "id": key, "kind": "week", "source": f"run:{run + 1}:week:{week}:{key}",
                    "about": "", "product": f"run:{run + 1}", "country": country, "rail": rail,
                    "happened_on": day, "effective_on": day, "month": f"{day:%Y-%m}",
                    "posted_at": POSTED, "reason": "",
                }  # fmt: skip
                amount = Money(part, currency)
                yield row, [(DEFERRED, amount), (COURSES_INCOME, -amount)]

    def _told(self, one: Sold) -> Iterator[tuple[str, str, date, list[tuple[str, Money]]]]:
        price, where = Money(one.minor, one.currency), one.money_account
        yield "sale", f"order:{one.key}", one.paid_on, [(RECEIVABLE, price), (DEFERRED, -price)]
        for payment in (one.key, self.orders + one.key)[: 1 + one.is_paid_twice]:
            moved = [(where, price), (RECEIVABLE, -price)]
            yield "payment", f"payment:{payment}", one.paid_on, moved
        if one.rail == "stripe":
            fee = Money(one.minor * 29 // 1_000 + 30, one.currency)
            yield "fee", f"movement:{one.key}", one.paid_on, [
                ("Expenses:Processor", fee), (where, -fee),
            ]  # fmt: skip
        if one.back:
            back, day = Money(one.back, one.currency), one.paid_on + timedelta(days=2)
            yield "refund", f"refund:{one.key}", day, [(RECEIVABLE, back), (where, -back)]
            yield "credit_note", f"refund:{one.key}", day, [(DEFERRED, back), (RECEIVABLE, -back)]

    def _entry(
        self, key: int, kind: str, source: str, number: str, one: Sold, day: date
    ) -> dict[str, Any]:
        return {
            "id": key, "kind": kind, "source": source, "about": f"order:{number}",
            "product": f"run:{one.run + 1}", "country": one.country, "rail": one.rail,
            "happened_on": day, "effective_on": day, "month": f"{day:%Y-%m}",
            "posted_at": POSTED, "reason": "",
        }  # fmt: skip

    def _postings(self) -> Iterator[dict[str, Any]]:
        key = 0
        for entry, amounts in self._entries():
            for account, amount in amounts:
                key += 1
                yield {
                    "id": key, "entry_id": entry["id"], "account": account,
                    "currency": amount.currency, "amount_minor": amount.minor,
                }  # fmt: skip
