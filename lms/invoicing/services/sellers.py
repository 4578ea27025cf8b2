"""Sellers: who sells, and whether tax is charged."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from lms.accounts.models import User
from lms.core.audit import record
from lms.core.db import db, insert_if_new
from lms.core.models import SiteSetting
from lms.invoicing.models import Seller

FIRST_SERIES = "INV"


def main_seller() -> Seller:
    """The seller of what the house sells; made of the seller on receipts when there is none."""
    found = _main()
    if found is not None:
        return found
    row = db.session.get(SiteSetting, "seller")
    known: dict[str, Any] = dict(row.value) if row is not None else {}
    insert_if_new(
        Seller,
        series=FIRST_SERIES,
        is_main=True,
        name=known.get("name", ""),
        address=known.get("address", ""),
        email=known.get("email", ""),
        tax_numbers=known.get("tax_number", ""),
        version=1,
    )
    made = _main()
    assert made is not None
    return made


def _main() -> Seller | None:
    return db.session.scalar(select(Seller).where(Seller.is_main.is_(True)))


def is_tax_charged(day: date) -> bool:
    """Whether the seller charges tax on this day; changes nothing."""
    seller = _main()
    return seller is not None and seller.is_registered(day)


def add_seller(values: dict[str, Any], by: User) -> Seller:
    """Add another seller; the first one sells."""
    seller = Seller(**values, is_main=True if _main() is None else None)
    db.session.add(seller)
    record("invoicing.add_seller", seller, by.id, series=seller.series)
    return seller


def change_seller(seller: Seller, values: dict[str, Any], by: User) -> None:
    """Keep what an administrator wrote; what was issued keeps the seller of its day."""
    for name, value in values.items():
        setattr(seller, name, value)
    record("invoicing.change_seller", seller, by.id, changed=sorted(values))


def make_main(seller: Seller, by: User) -> None:
    """Let this seller sell from now on."""
    before = _main()
    if before is seller:
        return
    if before is not None:
        before.is_main = None
        db.session.flush()
    seller.is_main = True
    record("invoicing.make_main_seller", seller, by.id)


def details(seller: Seller, day: date) -> dict[str, Any]:
    """A seller as it stands on what is issued that day."""
    return {
        "name": seller.name,
        "address": seller.address,
        "email": seller.email,
        "country": seller.country,
        "province": seller.province,
        "tax_numbers": seller.tax_numbers if seller.is_registered(day) else "",
        "is_registered": seller.is_registered(day),
    }
