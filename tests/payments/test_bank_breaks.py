"""The reading of a bank's file breaks off: taken up again, or failed with a button; never half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lms.app import create_app
from lms.core import clock, migrations, outbox
from lms.core.db import db
from lms.core.models import JobState, OutboxRow
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.ledger.models import LedgerEntry
from lms.ledger.services import check
from lms.payments import jobs
from lms.payments.bank_models import BankAccount, BankImport, BankLine
from lms.payments.models import Payment
from lms.payments.movement_models import GatewayMovement
from lms.payments.services import bank_imports, bank_landing
from tests.factories.accounts import make_administrator, make_user
from tests.payments.bank_steps import count, file_of, line, make_account, order
from tests.postgres import own_database


@pytest.fixture
def account(app) -> BankAccount:
    return make_account()


def confirmed(account, *lines: str, closing: Money | None = None) -> BankImport:
    by = make_administrator()
    made = bank_imports.upload(account, file_of(*lines), "mayo.csv", by)
    bank_imports.confirm(made, made.version, by, closing)
    db.session.commit()
    return made


def work(rounds: int = 1) -> None:
    """Let the worker do all that waits, and what a killed one had claimed."""
    for _round in range(rounds):
        past = clock.now() - timedelta(minutes=1)
        db.session.execute(update(OutboxRow).values(due_at=past))
        db.session.commit()
        outbox.run_due()
    db.session.expire_all()


def nothing_landed() -> bool:
    models = (BankLine, GatewayMovement, Payment, LedgerEntry)
    return [count(model) for model in models] == [0] * 4


def break_off(*args, **kwargs):
    raise ZeroDivisionError


@pytest.mark.parametrize("where", ["preview", "_lock_orders", "_close"])
def test_an_error_that_nobody_expected_is_tried_again_and_then_told(
    account, signed_in, monkeypatch, where
):
    ana = order()
    found = confirmed(account, line(ana.number), closing=Money(112_050, "CAD"))
    address = f"/payments/bank/files/{found.uuid}"
    browser, other = signed_in(make_administrator()), signed_in(make_user())
    db.session.commit()
    monkeypatch.setattr(bank_landing, where, break_off)
    work()
    assert (found.state, found.tries, nothing_landed()) == ("waiting", 1, True)
    work()
    assert "A try before broke off" in browser.get(address).text
    work(3)
    assert (found.state, found.failure, nothing_landed()) == ("failed", "", True)

    page = browser.get(address).text
    assert "None of its lines is in the books" in page
    assert "Try again" in page
    assert 'value="1,120.50"' in page
    monkeypatch.undo()
    again = {"version": found.version, "closing": "1,120.50"}
    assert other.get(address).status_code == 403
    assert other.post(f"{address}/confirm", data=again).status_code == 403
    assert browser.post(f"{address}/confirm", data=again).status_code == 303
    work()

    assert (found.state, found.confirmed, found.closing_minor) == ("done", 1, 112_050)
    assert (ana.state, count(Payment)) == ("paid", 1)


def test_one_error_on_the_way_does_no_harm(account, monkeypatch):
    ana = order()
    found = confirmed(account, line(ana.number))
    monkeypatch.setattr(bank_landing, "_close", break_off)
    work()
    monkeypatch.undo()
    work()

    assert (found.state, found.confirmed, found.tries) == ("done", 1, 2)
    assert count(Payment) == count(BankLine) == 1


def test_work_that_was_lost_is_taken_up(account, run_jobs):
    ana = order()
    found = confirmed(account, line(ana.number))
    bank_landing.resume()
    assert count(OutboxRow) == 1  # it is under way
    db.session.execute(update(OutboxRow).values(state=JobState.FAILED))
    db.session.commit()

    assert bank_landing.resume() == 1
    db.session.commit()
    run_jobs()
    db.session.expire_all()

    assert (found.state, found.confirmed) == ("done", 1)
    assert bank_landing.resume() == 0


def test_a_late_failure_does_not_hide_that_all_has_landed(account):
    found = confirmed(account, line(order().number))
    jobs.land_bank_file(found.id)
    bank_landing.fail(found.id, 2, "too late")
    db.session.commit()
    db.session.expire_all()

    assert (found.state, found.failure) == ("done", "")


DIES = textwrap.dedent(
    """
    import os, signal
    from lms.app import create_app
    from lms.core import outbox
    from lms.payments.services import bank_landing

    def die(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

    bank_landing._close = die  # all lines are posted, and nothing is committed
    app = create_app()
    with app.app_context():
        outbox.run_due()
    """
)


@pytest.mark.slow
def test_a_killed_worker_leaves_nothing_and_the_next_one_lands_all(settings, tmp_path):
    with own_database(settings, tmp_path, "bank_kill") as own:
        app = create_app(own, testing=True)
        with app.app_context():
            migrations.upgrade()
            account = make_account()
            ana, rosa = order(), order()
            found = confirmed(account, line(ana.number), line(rosa.number), line("x", "-1,00"))
            past = clock.now() - timedelta(minutes=1)
            db.session.execute(update(OutboxRow).values(due_at=past))
            db.session.commit()
            environment = {
                **os.environ,
                "LMS_DATA_DIR": str(tmp_path),
                "LMS_SECRET_KEY": "a key for tests only",
                "LMS_BASE_URL": "http://puente.test",
                **({"LMS_DATABASE_URL": own.database_url} if own.database_url else {}),
            }

            died = subprocess.run(
                [sys.executable, "-c", DIES],
                env=environment, check=False, capture_output=True, text=True,
            )  # fmt: skip

            assert died.returncode == -signal.SIGKILL, died.stderr
            db.session.expire_all()
            assert (found.state, found.tries, nothing_landed()) == ("waiting", 1, True)
            db.session.rollback()
            assert bank_landing.resume() == 0  # the row is still claimed
            db.session.rollback()
            work()
            assert (found.state, found.confirmed, count(BankLine)) == ("done", 2, 3)
            assert db.session.scalars(select(Enrolment.state)).all() == ["active"] * 2
            assert len(check.unexplained()) == 1
            db.session.close()
            db.engine.dispose()
