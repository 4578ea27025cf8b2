"""`python -m benchmarks.ledger`: pages of cost recovery over many orders, beside raw SQL.

The orders of `benchmarks.orders` are written in bulk, past the services and through the triggers of
the ledger and of the sums of orders. Each page is timed in the same run as raw SQL of the same
sums: of the rollup, and of the entries. Times are those of the processor, so that other work on the
machine does not count; with --postgresql, whose work another process does, those of the clock.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from statistics import median

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, delete, insert, select, text

from benchmarks.bulk import prepare
from benchmarks.orders import COURSES, RUNS, Orders
from lms.accounts.models import User
from lms.accounts.services.sign_ins import open_sign_in
from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db
from lms.courses.models import Enrolment
from lms.courses.services.sums import count_enrolments
from lms.courses.sum_models import EnrolmentMark
from lms.ledger.services.check import unexplained
from lms.payments.models import Order
from lms.payments.services.sums import count_orders
from lms.payments.sum_models import OrderMark
from tests.factories.accounts import make_administrator
from tests.factories.courses import make_course
from tests.postgres import postgres_server

LAST_DAY = date(2026, 11, 29)
REPORTS = (
    "recovery-by-month", "recovery-by-course", "recovery-by-run", "recovery-by-country",
    "recovery-by-currency", "recovery-by-rail", "recovery-by-week", "recovery-entries",
    "recovery-owed", "recovery-ageing", "recovery-tax", "recovery-partners", "recovery-tiers",
    "recovery-learners", "run-results", "completions-by-run", "paid-orders",
)  # fmt: skip
PAGES = (
    *(f"/admin/reports/{name}?period={days}" for name in REPORTS for days in ("12-months", "all")),
    "/admin/reports/learners?period=all", "/admin/reports/learners-by-country?period=all",
    "/admin/reports/paid-orders?period=days&first=2024-02-05&last=2024-03-10",
    "/admin/reports/recovery-tiers?period=days&first=2024-02-05&last=2025-03-10",
    "/admin/reports/", "/admin/recovery", "/admin/recovery/runs", "/admin/ledger",
    "/admin/ledger/entries", "/admin/ledger/entries?account=Assets:Receivable",
    "/admin/ledger/entries?month=2025-06",
)  # fmt: skip
FROM_SUMS = text(
    "SELECT month, currency, kind, account, SUM(debit_minor - credit_minor) FROM ledger_sums"
    " GROUP BY month, currency, kind, account"
)
FROM_ENTRIES = text(
    "SELECT e.month, p.currency, e.kind, p.account, SUM(p.amount_minor) FROM ledger_postings p"
    " JOIN ledger_entries e ON e.id = p.entry_id GROUP BY e.month, p.currency, e.kind, p.account"
)


def seconds(deed: Callable[[], object], times: int = 3) -> float:
    """The middle of several runs, in seconds."""
    is_elsewhere = db.engine.dialect.name == "postgresql"
    now = time.perf_counter if is_elsewhere else time.process_time
    found = []
    for _ in range(times):
        begun = now()
        deed()
        found.append(now() - begun)
    return median(found)


def seed(connection: Connection, orders: int, runs: int = RUNS) -> None:
    """Courses, runs, people, orders and the ledger. The connection is thrown away afterwards."""
    prepare(connection)
    Orders(connection, orders, LAST_DAY, runs).write()
    connection.invalidate()


def sign_in(app: Flask, user_id: int) -> FlaskClient:
    """A browser of the administrator."""
    with app.app_context():
        key = open_sign_in(db.session.get_one(User, user_id))
        db.session.commit()
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"] = key, True
    return browser


def page(browser: FlaskClient, address: str) -> Callable[[], object]:
    """Opens a page."""

    def deed() -> None:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.status_code)

    return deed


def fill(app: Flask, orders: int) -> None:
    """Make the tables and write the orders, unless they are there."""
    with app.app_context():
        Model.metadata.create_all(db.engine)
        if db.session.scalar(select(User.id).limit(1)) is not None:
            return
        for _number in range(COURSES):
            make_course()
        make_administrator()
        db.session.commit()
        db.session.close()
        with db.engine.connect() as connection:
            seed(connection, orders)
        for marks, runs in ((OrderMark, Order.run_id), (EnrolmentMark, Enrolment.run_id)):
            db.session.execute(delete(marks))  # COPY into PostgreSQL leaves none
            db.session.execute(insert(marks).from_select(["run_id"], select(runs).distinct()))
        for count in (count_orders, count_enrolments):  # as the jobs do
            while count():
                db.session.commit()
        with db.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()


def main() -> int:
    """Seed, measure, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--most", type=float, default=1.0, help="seconds that a page may take")
    parser.add_argument("--folder", type=Path, help="keep the data here, or use what is here")
    parser.add_argument("--postgresql", action="store_true", help="on a server of its own")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgres_server()) if asked.postgresql else None
        settings = Settings(
            data_dir=folder, secret_key="k", default_time_zone="UTC", log_level="WARNING",
            database_url=url,
        )  # fmt: skip
        app = create_app(settings, testing=True)
        begun = time.perf_counter()
        fill(app, asked.orders)
        with app.app_context():
            administrator = db.session.scalars(select(User.id).where(User.is_administrator)).one()
            counts = [
                db.session.scalar(text(f"SELECT COUNT(*) FROM {name}"))
                for name in ("orders", "ledger_entries", "ledger_postings", "ledger_sums")
            ]
            print("{:,} orders, {:,} entries, {:,} postings, {:,} sums".format(*counts),
                  f"after {time.perf_counter() - begun:.0f} s")  # fmt: skip
            sums = seconds(lambda: db.session.execute(FROM_SUMS).all())
            entries = seconds(lambda: db.session.execute(FROM_ENTRIES).all(), 1)
            print(f"raw SQL over the sums {sums:.3f} s, over the entries {entries:.2f} s")
        browser, slow = sign_in(app, administrator), 0
        for address in PAGES:
            with app.app_context():
                took = seconds(page(browser, address))
            slow += took > asked.most
            print(f"| `{address}` | {took:.3f} | {took / sums:.1f} | {entries / took:.0f} |")
        with app.app_context():
            found: list[int] = []
            took = seconds(lambda: found.append(len(unexplained())), 1)
            print(f"the check took {took:.1f} s and found {found[0]} things unexplained")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
