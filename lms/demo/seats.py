"""An institution bought places for its people: some are taken, one is promised."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.courses.models import CourseRun
from lms.directory.models import Organisation
from lms.payments.products import products
from lms.payments.seat_models import SEATS, SeatBlock
from lms.payments.services import orders, payments, seat_blocks, seats
from lms.payments.services.terms import Billing

PLACES = 6
INVITED = "equipo@centro-andino.example"


def ensure_seats(
    run: CourseRun,
    buyer: User,
    organisation: Organisation,
    people: Sequence[User],
    administrator: User,
) -> None:
    """Six places paid by transfer: these people took one each, one is promised by mail."""
    known = select(SeatBlock.id).where(SeatBlock.user_id == buyer.id)
    if db.session.scalar(known) is not None:
        return
    block = seat_blocks.choose_seats(run, buyer, PLACES, organisation)
    product = products[SEATS]
    country = product.country_for(block.uuid, buyer)
    item = product.find(block.uuid, buyer, country)
    if not item.prices:
        return
    price = next(iter(item.prices.values()))
    billing = Billing(buyer="organisation", organisation=item.organisation, purchase_order="OC-118")
    order = orders.order_item(item, buyer, "bank_transfer", price, country=country, billing=billing)
    payments.confirm_transfer(order, order.total, "CA-2201", administrator)
    for number, person in enumerate(people):
        seats.invite(block, [person.email], person.language, buyer)
        seats.take(block.places[number], person, shares_result=number == 0)
    seats.invite(block, [INVITED], "es", buyer)
    seats.make_code(block, buyer)
    db.session.flush()
