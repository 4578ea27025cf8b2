"""Two administrators confirm files with the same lines at the same moment: each line lands once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.app import create_app
from lms.config import Settings
from lms.core import clock
from lms.core.db import Model, db
from lms.courses.models import Enrolment
from lms.ledger.services import check
from lms.payments import jobs
from lms.payments.bank_models import BankImport, BankLine
from lms.payments.models import Payment
from lms.payments.services import bank_imports, orders
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_run, set_bank_account
from tests.postgres import own_database


@pytest.fixture
def shared_app(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with own_database(settings, tmp_path_factory.mktemp("bank_race"), "bank_race") as own:
        app = create_app(own, testing=True)
        with app.app_context():
            Model.metadata.create_all(db.engine)
            yield app
            db.session.close()
            db.engine.dispose()


@pytest.mark.slow
def test_two_administrators_at_once_land_each_line_once(shared_app):
    set_bank_account()
    first = make_administrator()
    account = bank_imports.add_account("Banco", "CAD", "bank_transfer", first)
    orders_made = [
        orders.place_order(make_paid_run(), make_user(), "bank_transfer") for _number in range(3)
    ]
    day = f"{clock.now():%d/%m/%Y}"
    rows = ["Fecha;Texto;Importe", *(f"{day};{one.number};120,00" for one in orders_made)]
    content = "\n".join([*rows, f"{day};Otra cosa;7,00", f"{day};Otra cosa;7,00"]).encode()
    made = []
    for by in (first, make_administrator()):
        one = bank_imports.upload(account, content, "mayo.csv", by)
        bank_imports.confirm(one, one.version, by)
        made.append(one.id)
    db.session.commit()
    barrier = threading.Barrier(2)

    def work(import_id: int) -> None:
        with shared_app.app_context():
            barrier.wait()
            jobs.land_bank_file(import_id)

    threads = [threading.Thread(target=work, args=(one,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.expire_all()

    found = db.session.scalars(select(BankImport).order_by(BankImport.known)).all()
    assert [(one.state, one.confirmed, one.known) for one in found] == [
        ("done", 3, 0),
        ("done", 0, 5),
    ]
    for model, number in ((BankLine, 5), (Payment, 3), (Enrolment, 3)):
        assert db.session.scalar(select(func.count()).select_from(model)) == number
    assert len(check.unexplained()) == 2  # the two lines that name no order
