"""`python -m benchmarks.ledger`: pages of cost recovery over many orders, beside raw SQL.

Five entries for each order: sale, payment, fee, and two weeks taught. They are written in bulk,
past the services and through the ledger's own triggers, then summed as the migration sums them.
Each page is timed in the same run as raw SQL of the same sums: of the rollup, and of the entries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask
from flask_login import login_user
from sqlalchemy import func, insert, select, text

from lms.accounts.models import User
from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db
from lms.ledger.models import LedgerEntry, LedgerPosting, LedgerSum
from lms.ledger.queries import DIMENSIONS, debit_and_credit, postings_by_dimension
from tests.factories.accounts import make_administrator
from tests.factories.courses import make_course, make_run

RUNS, DAYS = 60, 1080
KINDS = {  # kind: account that is debited, account that is credited, hundredths of the price
    "sale": ("Assets:Receivable", "Liabilities:Deferred", 100),
    "payment": ("Assets:Clearing:Stripe", "Assets:Receivable", 100),
    "fee": ("Expenses:Processor", "Assets:Clearing:Stripe", 3),
    "week-1": ("Liabilities:Deferred", "Income:Courses", 50),
    "week-2": ("Liabilities:Deferred", "Income:Courses", 50),
}
REPORTS = (
    "recovery-by-month", "recovery-by-course", "recovery-by-run", "recovery-by-country",
    "recovery-by-currency", "recovery-by-rail",
)  # fmt: skip
FROM_SUMS = text(
    "SELECT month, currency, kind, account, SUM(debit_minor - credit_minor) FROM ledger_sums"
    " GROUP BY month, currency, kind, account"
)
FROM_ENTRIES = text(
    "SELECT e.month, p.currency, e.kind, p.account, SUM(p.amount_minor) FROM ledger_postings p"
    " JOIN ledger_entries e ON e.id = p.entry_id GROUP BY e.month, p.currency, e.kind, p.account"
)
_NUMBERS = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < :orders) "


def seed(orders: int, last_day: date) -> None:
    """Write the entries of so many orders over three years."""
    course = make_course()
    for number in range(RUNS):
        make_run(course, slug=f"ledger-{number}")
    db.session.execute(text("CREATE TEMPORARY TABLE bench_days (i INTEGER PRIMARY KEY, day DATE)"))
    days = [{"i": i, "day": (last_day - timedelta(days=i)).isoformat()} for i in range(DAYS)]
    db.session.execute(text("INSERT INTO bench_days VALUES (:i, :day)"), days)
    for place, (name, (debit, credit, part)) in enumerate(KINDS.items()):
        values = {"orders": orders, "kind": name.partition("-")[0], "base": place * orders}
        db.session.execute(
            text(
                "INSERT INTO ledger_entries (id, kind, source, about, product, country, rail,"
                f" happened_on, effective_on, month, posted_at, reason) {_NUMBERS}"
                f"SELECT :base + k, :kind, 'order:' || k || '-{name}', 'order:P-' || k,"
                f" 'run:' || (k % {RUNS} + 1), SUBSTR('BOPEECCOCLMXCA', k % 7 * 2 + 1, 2),"
                " CASE WHEN k % 5 = 0 THEN 'bank_transfer' ELSE 'stripe' END,"
                " day, day, SUBSTR(day, 1, 7), '2026-01-01 00:00:00', ''"
                f" FROM n JOIN bench_days ON i = k * 7 % {DAYS}"
            ),
            values,
        )
        for account, sign in ((debit, 1), (credit, -1)):
            db.session.execute(
                text(
                    "INSERT INTO ledger_postings (entry_id, account, currency, amount_minor)"
                    f" {_NUMBERS} SELECT :base + k, :account,"
                    " CASE k % 3 WHEN 0 THEN 'CAD' WHEN 1 THEN 'BOB' ELSE 'USD' END,"
                    f" {sign * part} * (100 + k % 97) FROM n"
                ),
                {"orders": orders, "base": place * orders, "account": account},
            )
    db.session.execute(text("INSERT INTO ledger_seals SELECT id FROM ledger_entries"))
    sums = (
        select(*postings_by_dimension(), *debit_and_credit())
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .group_by(*postings_by_dimension())
    )
    names = [*DIMENSIONS, "debit_minor", "credit_minor"]
    db.session.execute(insert(LedgerSum).from_select(names, sums))
    db.session.commit()


def seconds(deed: Callable[[], object], times: int = 5) -> float:
    """The middle of several runs."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        deed()
        found.append(time.perf_counter() - begun)
    return median(found)


def page(app: Flask, name: str, user_id: int) -> Callable[[], object]:
    """Makes one page of a report, as its view does, with a session of its own."""

    def deed() -> None:
        path = f"/admin/reports/{name}?period=all"
        with app.test_request_context(path):
            login_user(db.session.get_one(User, user_id))
            answer: Any = app.view_functions["reports.show_report"](name=name)
            assert "<tbody>" in answer[0]

    return deed


def main() -> int:
    """Seed, measure, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--most", type=float, default=1.0, help="seconds that a page may take")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), secret_key="k", default_time_zone="UTC")
        app = create_app(settings, testing=True)
        with app.app_context():
            Model.metadata.create_all(db.engine)
            begun = time.perf_counter()
            seed(asked.orders, date(2026, 11, 30))
            db.session.execute(text("ANALYZE"))
            db.session.commit()
            administrator = make_administrator().id
            count = db.session.scalar(select(func.count()).select_from(LedgerSum))
            print(f"{asked.orders} orders, {len(KINDS) * asked.orders} entries, {count} sums,"
                  f" written in {time.perf_counter() - begun:.0f} s")  # fmt: skip
            sums = seconds(lambda: db.session.execute(FROM_SUMS).all())
            entries = seconds(lambda: db.session.execute(FROM_ENTRIES).all(), 1)
            print(f"raw SQL over the sums {sums:.3f} s, over the entries {entries:.2f} s")
        slow = 0
        for name in REPORTS:
            with app.app_context():
                took = seconds(page(app, name, administrator))
            slow += took > asked.most
            print(f"{name}: {took:.3f} s, {took / sums:.1f} times raw SQL over the sums,"
                  f" {entries / took:.0f} times faster than over the entries")  # fmt: skip
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
