"""Who paid, as banks tell it: handed out with a person's data, forgotten with them or in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.personal_data import personal_data
from lms.ledger.services import check
from lms.payments.bank_models import BankAccount, BankLine
from lms.payments.models import RefundReason
from lms.payments.movement_models import GatewayMovement
from lms.payments.services import bank_names, refunds
from tests.payments.bank_steps import count, land, line, make_account, order, told


@pytest.fixture
def account(app) -> BankAccount:
    return make_account()


def names() -> list[tuple[str, str]]:
    db.session.expire_all()
    found = db.session.execute(select(BankLine.name, BankLine.text).order_by(BankLine.movement_id))
    return [(row.name, row.text) for row in found]


def test_what_banks_say_of_a_person_is_handed_out_and_forgotten_with_them(account):
    ana, rosa = order(), order()
    lines = [
        line(f"De Ana {ana.number}", name="Ana Núñez"),
        line(f"De Rosa {rosa.number}", name="Rosa Paz"),
        line("Comisión", "-1,00"),
    ]
    land(account, *lines)
    refunds.refund_order(ana, RefundReason.BY_ADMINISTRATOR)
    db.session.commit()
    back = line(f"Devolución {ana.number}", "-120,00", "Ana Núñez")
    land(account, back)
    before = told()
    [paid, returned] = personal_data["bank_lines"].export(ana.user_id)
    assert (paid["name"], paid["amount_minor"]) == ("Ana Núñez", 12_000)
    assert (returned["words"], returned["amount_minor"]) == (f"Devolución {ana.number}", -12_000)
    assert "Rosa" not in str([paid, returned])

    personal_data["bank_lines"].erase(ana.user_id)
    db.session.commit()

    assert sorted(names()) == [
        ("", ""),
        ("", ""),
        ("", "Comisión"),
        ("Rosa Paz", f"De Rosa {rosa.number}"),
    ]
    kept = db.session.scalars(select(GatewayMovement)).all()
    assert "Ana" not in str([(row.category, row.explanation) for row in kept])
    assert db.session.scalars(select(BankLine.entry_id)).all().count(None) == 0
    land(account, *lines, back)  # each line is still known
    assert (count(BankLine), told()) == (4, before)
    assert [one.what for one in check.unexplained()] == ["money moved and not explained"]


def test_the_words_of_old_lines_are_forgotten_unless_somebody_has_to_look_at_them(account):
    ana = order()
    land(account, line(ana.number, name="Ana"), line("¿De quién?", "5,00", "Nadie"))
    bank_names.forget_old_names()
    assert ("Ana", ana.number) in names()

    with clock.set_to(clock.now() + bank_names.KEPT_FOR + timedelta(days=2)):
        bank_names.forget_old_names()

    assert sorted(names()) == [("", ""), ("Nadie", "¿De quién?")]
