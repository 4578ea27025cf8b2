"""What invoices keep about a person. Tax law wants them whole, as they were issued: they stay."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lms.accounts.queries import accounts_of
from lms.core.db import db
from lms.core.personal_data import PersonalData
from lms.invoicing.models import Invoice


def _export(user_id: int) -> Any:
    found = db.session.scalars(
        select(Invoice).where(Invoice.user_id.in_(accounts_of(user_id))).order_by(Invoice.id)
    )
    return [
        {
            "number": invoice.number,
            "uuid": str(invoice.uuid),
            "kind": invoice.kind,
            "order": invoice.reference,
            "issued_on": invoice.issued_on.isoformat(),
            "currency": invoice.currency,
            "net_minor": invoice.net_minor,
            "tax_minor": invoice.tax_minor,
            "gross_minor": invoice.gross_minor,
            "organisation": invoice.organisation,
            "purchase_order": invoice.purchase_order,
            "country": invoice.country,
            "province": invoice.province,
            **invoice.buyer_details,
        }
        for invoice in found
    ]


def _erase(user_id: int) -> None:
    """Nothing: an invoice without its buyer is none, and it is kept sealed."""


PERSONAL_DATA = PersonalData("invoicing", _export, _erase)
