from __future__ import annotations

from lms.accounts.models import User
from lms.core.db import db
from lms.courses.models import CourseRun
from lms.directory.models import Organisation
from lms.payments.models import Order
from lms.payments.products import products
from lms.payments.seat_models import SEATS, SeatBlock
from lms.payments.services import orders, payments, seat_blocks
from lms.payments.services.seats import invite, link_token
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run


def order_seats(
    run: CourseRun | None = None,
    buyer: User | None = None,
    seats: int = 3,
    organisation: Organisation | None = None,
    gateway: str = "stripe",
    currency: str | None = None,
    *,
    commit: bool = True,
) -> tuple[SeatBlock, Order]:
    """A block that was chosen, and its order that waits for its payment."""
    run, buyer = run or make_paid_run(), buyer or make_user()
    block = seat_blocks.choose_seats(run, buyer, seats, organisation)
    product = products[SEATS]
    country = product.country_for(block.uuid, buyer)
    item = product.find(block.uuid, buyer, country)
    price = item.prices[currency or next(iter(item.prices))]
    order = orders.order_item(item, buyer, gateway if price else None, price, country=country)
    if commit:
        db.session.commit()
    return block, order


def make_block(*args: object, reference: str = "", **values: object) -> SeatBlock:
    """A block that was paid by card."""
    block, order = order_seats(*args, **values)  # type: ignore[arg-type]
    if order.total:
        payments.take_payment(order, "stripe", reference or f"pi_{block.uuid}", order.total)
    db.session.commit()
    return block


def invited(block: SeatBlock, *addresses: str, language: str = "en") -> list[str]:
    """Invite these people; gives the end of each link."""
    invite(block, addresses, language, block.user)
    db.session.commit()
    found = {seat.email: seat for seat in block.places}
    return [link_token(found[one].uuid, found[one].round) for one in addresses]
