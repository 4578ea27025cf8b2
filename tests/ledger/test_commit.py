"""What only a real commit shows, on tables that the migrations made."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from lms.app import create_app
from lms.core import migrations
from lms.core.db import db, transaction
from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.ledger.services.entries import post
from tests.ledger.test_entries import add_entry
from tests.postgres import own_database

pytestmark = pytest.mark.slow


@pytest.fixture
def own_app(settings, tmp_path):
    with own_database(settings, tmp_path, "ledger") as own:
        app = create_app(own, testing=True)
        with app.app_context():
            migrations.upgrade()
            yield app
            db.session.close()
            db.engine.dispose()


def test_an_entry_is_committed_only_with_its_seal_and_stays_as_it_is(own_app):
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), transaction():
        add_entry(100, -100)
    db.session.rollback()
    assert db.session.scalars(select(LedgerEntry)).all() == []
    db.session.rollback()

    five = Money(500, "USD")
    with transaction():
        post("sale", "order:1", date(2026, 3, 1), {Account.BANK: five, Account.DONATIONS: -five})

    with pytest.raises(IntegrityError, match="ever changed"), transaction():
        db.session.execute(delete(LedgerPosting))
    db.session.rollback()
    assert len(db.session.scalars(select(LedgerPosting)).all()) == 2
