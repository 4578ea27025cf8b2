"""How movements at payment services are posted to the ledger."""

from __future__ import annotations

from lms.core import clock
from lms.core.money import Money
from lms.core.settings import settings
from lms.ledger.kinds import EntryKind
from lms.ledger.services.entries import post
from lms.payments.models import Payment
from lms.payments.movement_models import GatewayMovement
from lms.payments.products import ledger_product
from lms.payments.services.bookkeeping import about


def post_movement(
    kind: EntryKind, row: GatewayMovement, *amounts: tuple[str, Money], of: Payment | None = None
) -> None:
    """Post what a movement is; of: the payment that it belongs to."""
    order = of.order if of else None
    post(
        kind,
        f"movement:{row.id}",
        clock.local_date(row.happened_at, settings().default_time_zone),
        amounts,
        about=about(order) if order else "",
        product=ledger_product(order) if order else "",
        country=order.country if order else None,
        rail=row.gateway,
    )
