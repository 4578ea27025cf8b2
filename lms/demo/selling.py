"""Who sells in the demo, what is taxed, and when money comes back."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.settings import settings
from lms.invoicing.models import Seller
from lms.invoicing.services.sellers import add_seller
from lms.invoicing.services.tax_rows import add_canadian_rows
from lms.payments.terms_models import RefundPolicy

SINCE = date(2020, 1, 1)
CAPS = {"CAD": 5_000, "USD": 4_000, "EUR": 3_500, "BOB": 25_000, "BRL": 20_000}
CAP_ELSEWHERE = 4_000


def ensure_seller(administrator: User) -> None:
    """A seller in Ottawa that charges tax, with a refund policy, unless there is one."""
    if db.session.scalar(select(Seller.id).limit(1)) is not None:
        return
    seller = add_seller(
        {
            "series": "PUENTE",
            "name": "Puente Institute for Professional Learning",
            "address": "120 Example Street\nOttawa ON  K1A 0A1\nCanada",
            "email": "office@example.org",
            "tax_numbers": "GST/HST 123456782 RT0001",
            "registered_from": SINCE,
        },
        administrator,
    )
    add_canadian_rows(seller, administrator)
    db.session.add(
        RefundPolicy(
            starts_on=SINCE,
            fee_percent=10,
            fee_caps={code: CAPS.get(code, CAP_ELSEWHERE) for code in settings().currencies},
            nothing_after_percent=60,
            moved_days=14,
            made_by_id=administrator.id,
        )
    )
    db.session.flush()
