"""Numbers without gaps while many invoices are issued at once, and some of them refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from lms.app import create_app
from lms.config import Settings
from lms.core import migrations
from lms.core.db import db, transaction
from lms.core.money import Money
from lms.invoicing.models import Invoice, Seller
from lms.invoicing.services.invoices import Buyer, Item, Sale, issue_credit_note, issue_invoice
from tests.factories.invoicing import make_seller
from tests.postgres import own_database

pytestmark = pytest.mark.slow


@pytest.fixture
def shared_app(settings: Settings, tmp_path) -> Iterator[Flask]:
    with own_database(settings, tmp_path, "numbers") as own:
        app = create_app(own, testing=True)
        with app.app_context():
            migrations.upgrade()
            yield app
            db.session.close()
            db.engine.dispose()


class Refused(Exception):
    """Something after the invoice goes wrong."""


def test_numbers_have_no_gap_whoever_comes_first_and_whatever_fails(shared_app):
    seller_id = make_seller(series="RACE").id
    db.session.rollback()
    barrier = threading.Barrier(12)

    def sell(number: int) -> None:
        with shared_app.app_context():
            barrier.wait()
            for turn in range(3):
                source = f"{number}:{turn}"
                item = Item("Course", Money(1_130, "CAD"))
                try:
                    with transaction():
                        sale = Sale(source, source, "", date(2027, 3, 1), [item])
                        invoice = issue_invoice(
                            db.session.get_one(Seller, seller_id), Buyer("Ana"), sale
                        )
                        issue_credit_note(invoice, Money(30, "CAD"), source)
                        if (number + turn) % 3 == 0:
                            raise Refused
                except Refused:
                    continue

    threads = [threading.Thread(target=sell, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for kind in ("invoice", "credit_note"):
        found = db.session.scalars(
            select(Invoice.sequence).where(Invoice.kind == kind).order_by(Invoice.sequence)
        ).all()
        assert found == list(range(1, 25)), kind
    db.session.rollback()
    with pytest.raises(IntegrityError, match="never changed"), transaction():
        db.session.execute(update(Invoice).values(gross_minor=0))
    db.session.rollback()
