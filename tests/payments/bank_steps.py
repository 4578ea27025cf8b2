"""A bank's file in a few words, and its way into the books."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.ledger.queries import balances
from lms.payments import jobs
from lms.payments.bank_models import BankAccount, BankImport
from lms.payments.models import Order
from lms.payments.services import bank_imports, orders
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_run, set_bank_account

HEADINGS = "Fecha;Descripción;Ordenante;Importe"


def make_account() -> BankAccount:
    """The seller's own account."""
    set_bank_account()
    made = bank_imports.add_account("Banco CAD", "CAD", "bank_transfer", make_administrator())
    db.session.commit()
    return made


def order(total: Money = Money(12_000, "CAD"), **values) -> Order:
    """Somebody who chose to transfer."""
    made = orders.place_order(make_paid_run(price=total), make_user(), "bank_transfer", **values)
    db.session.commit()
    return made


def today(days: int = 0) -> str:
    """A day as banks write it."""
    return f"{clock.now().date() + timedelta(days=days):%d/%m/%Y}"


def line(text: str, amount: str = "120,00", name: str = "", day: str = "") -> str:
    """One line."""
    return f"{day or today()};{text};{name};{amount}"


def file_of(*lines: str) -> bytes:
    """The bytes of a file."""
    return "\r\n".join([HEADINGS, *lines, ""]).encode("cp1252")


def land(account, *lines: str, closing: Money | None = None, content: bytes = b"") -> BankImport:
    """Upload, confirm, and let the worker do its part."""
    by = make_administrator()
    made = bank_imports.upload(account, content or file_of(*lines), "mayo.csv", by)
    bank_imports.confirm(made, made.version, by, closing)
    db.session.commit()
    jobs.land_bank_file(made.id)
    db.session.expire_all()
    return made


def count(model) -> int:
    """How many rows."""
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def told() -> dict[str, int]:
    """What the ledger holds, by account and currency."""
    return {f"{one.account} {one.currency}": one.amount.minor for one in balances() if one.amount}
