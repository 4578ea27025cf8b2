"""A hundred awards at the same moment: a fund is never overdrawn, on either database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from lms.accounts.models import User
from lms.app import create_app
from lms.config import Settings
from lms.core import clock
from lms.core.db import Model, db, transaction
from lms.core.money import Money
from lms.scholarships.errors import FundExhausted
from lms.scholarships.models import Application, Fund
from lms.scholarships.services import applications
from lms.scholarships.services.ledger_checks import CHECKS
from tests.factories.accounts import make_administrator, make_user
from tests.factories.scholarships import PRICE, make_fund, make_priced_run
from tests.postgres import own_database

AT_ONCE, ENOUGH_FOR = 100, 37


@pytest.fixture(scope="module")
def shared_app(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with own_database(settings, tmp_path_factory.mktemp("funds"), "funds") as own:
        app = create_app(own, testing=True)
        with app.app_context():
            Model.metadata.create_all(db.engine)
            yield app
            db.session.close()
            db.engine.dispose()


@pytest.mark.slow
def test_a_hundred_awards_at_once_never_overdraw_a_fund(shared_app):
    fund, run = make_fund(PRICE.minor * ENOUGH_FOR + 1), make_priced_run()
    by_id, fund_id = make_administrator().id, fund.id
    waiting = [
        Application(fund=fund, run=run, user=make_user(), statement="I plan.", asked_percent=100)
        for _number in range(AT_ONCE)
    ]
    db.session.add_all(waiting)
    db.session.commit()
    ids = [one.id for one in waiting]
    last_day = clock.now().date() + timedelta(days=30)
    db.session.rollback()
    barrier, results = threading.Barrier(AT_ONCE), dict.fromkeys(ids, "")

    def award(application_id: int) -> None:
        with shared_app.app_context():
            barrier.wait()
            try:
                with transaction():
                    found = db.session.get_one(Application, application_id)
                    by = db.session.get_one(User, by_id)
                    applications.award(found, 100, last_day, "", by)
                    results[application_id] = "awarded"
            except FundExhausted:
                results[application_id] = "exhausted"

    threads = [threading.Thread(target=award, args=(one,)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    outcomes = sorted(results.values())
    assert outcomes == ["awarded"] * ENOUGH_FOR + ["exhausted"] * (AT_ONCE - ENOUGH_FOR)
    fund = db.session.get_one(Fund, fund_id, populate_existing=True)
    assert (fund.reserved, fund.left) == (Money(PRICE.minor * ENOUGH_FOR, "CAD"), Money(1, "CAD"))
    assert [found for check in CHECKS for found in check.run()] == []
