from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from lms.accounts.models import User
from lms.core.db import db
from lms.core.money import Money
from lms.invoicing.models import Invoice, Seller
from lms.invoicing.services.invoices import Buyer, Item, Sale, issue_invoice
from lms.invoicing.services.tax_rows import add_canadian_rows

_numbers = itertools.count(1)


def make_seller(*, registered: bool = True, **values: Any) -> Seller:
    """The one that sells: in Ottawa, registered for tax, with the rows of a Canadian seller."""
    defaults: dict[str, Any] = {
        "series": f"S{next(_numbers)}",
        "is_main": True,
        "name": "Learning Together",
        "address": "1 Rideau Street\nOttawa ON",
        "tax_numbers": "GST/HST 123456782 RT0001",
        "registered_from": date(2016, 1, 1) if registered else None,
    }
    seller = Seller(**(defaults | values))
    db.session.add(seller)
    db.session.flush()
    if registered:
        add_canadian_rows(seller)
    db.session.commit()
    return seller


def make_invoice(
    seller: Seller | None = None,
    minor: int = 10_000,
    day: date = date(2027, 3, 1),
    user: User | None = None,
    **buyer: Any,
) -> Invoice:
    """An invoice of 100 dollars, issued to somebody in Toronto."""
    number = next(_numbers)
    known: dict[str, Any] = {"name": "Rosa Quispe", "country": "CA", "province": "ON"}
    sale = Sale(
        source=f"test:{number}",
        reference=f"T-{number}",
        product="run:1",
        day=day,
        items=[
            Item(
                "Participatory budgets",
                Money(minor, buyer.pop("currency", "CAD")),
                buyer.pop("quantity", 1),
            )
        ],
        facts=buyer.pop("facts", ()),
    )
    known |= {"user_id": user.id if user else None} | buyer
    invoice = issue_invoice(seller or make_seller(), Buyer(**known), sale)
    db.session.commit()
    return invoice
