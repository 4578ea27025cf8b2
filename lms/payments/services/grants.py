"""Scholarships on orders: held while one pays, paid with the sale, given back with refunds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.payments import queries
from lms.payments.grant_models import OrderGrant
from lms.payments.models import OPEN, Order
from lms.payments.queries.dues import still_asked
from lms.pricing.engine import OfferKind
from lms.pricing.services.quotes import Calculation
from lms.scholarships.models import Application, ApplicationState
from lms.scholarships.queries import today
from lms.scholarships.services import awards


def find_grant(order: Order | None) -> OrderGrant | None:
    """What a fund pays of the order, or shall pay when it is sold."""
    grant = db.session.get(OrderGrant, order.id) if order is not None else None
    return None if grant is None or grant.released_at else grant


def awards_for(user: User, runs: Sequence[CourseRun]) -> dict[int, Application]:
    """The awards that the person can use for these runs, by run.

    With those that open orders hold: they are free when such an order is replaced.
    """
    is_held = exists().where(
        OrderGrant.award_id == Application.id,
        OrderGrant.released_at.is_(None),
        Order.id == OrderGrant.order_id,
        Order.state.in_(OPEN),
    )
    is_usable = and_(
        Application.state == ApplicationState.AWARDED,
        or_(Application.expires_on.is_(None), Application.expires_on >= today()),
    )
    found = db.session.scalars(
        select(Application)
        .where(
            Application.user_id == user.id,
            Application.run_id.in_([run.id for run in runs]),
            or_(is_usable, is_held),
        )
        .options(joinedload(Application.fund))
    )
    return {award.run_id: award for award in found}


def wanted(award: Application | None, calculation: Calculation) -> tuple[int, Money] | None:
    """Which award pays how much at this price; None where no scholarship counts."""
    granted = calculation.priced.granted
    if award is None or not calculation.uses(OfferKind.SCHOLARSHIP) or not granted:
        return None
    return award.id, granted


def wanted_by(order: Order) -> tuple[int, Money] | None:
    """The same of an order that was placed."""
    grant = find_grant(order)
    return (grant.award_id, grant.amount) if grant else None


def keep_grant(order: Order, award: Application, amount: Money) -> None:
    """Hold the award for the order. Raises AwardGone."""
    awards.hold(award, amount)
    db.session.add(OrderGrant(order_id=order.id, award_id=award.id, amount_minor=amount.minor))
    db.session.flush()


def release_grant(order: Order) -> None:
    """The order comes to nothing: its award can be used again. Safe to repeat."""
    grant = find_grant(order)
    if grant is None or grant.booked_at:
        return
    grant.released_at = clock.now()
    db.session.flush()
    awards.release(grant.award)


def grant_to_book(order: Order) -> OrderGrant | None:
    """What a fund pays of an order that is sold now.

    The award of an order that was given up and paid all the same is held again; when it cannot be,
    nobody pays that part, and the sale is what the buyer paid.
    """
    grant = db.session.get(OrderGrant, order.id)
    if grant is None or grant.booked_at:
        return None
    if grant.released_at:
        if not awards.hold_again(grant.award, grant.amount):
            return None
        grant.released_at = None
        db.session.flush()
    return grant


def note_booked(grant: OrderGrant) -> None:
    """The sale is in the ledger, with the fund's part."""
    grant.booked_at = clock.now()
    awards.spend(grant.award, grant.amount)


def part_to_give_back(order: Order) -> Money:
    """What the fund should get back by now: in proportion to what the buyer need not pay."""
    grant, nothing = find_grant(order), Money(0, order.currency)
    if grant is None or not grant.booked_at or not order.total_minor:
        return nothing
    stands = queries.kept_for(order) + still_asked(order)
    kept = min(max(stands, 0), order.total_minor)
    due = grant.amount_minor * (order.total_minor - kept) // order.total_minor
    return Money(max(0, due - grant.given_back_minor), order.currency)


def note_given_back(order: Order, amount: Money) -> None:
    """The ledger gives the fund a part back."""
    grant = find_grant(order)
    if grant is None or not amount:
        return
    grant.given_back_minor += amount.minor
    awards.give_back(grant.award.fund, amount)


def note_paid_again(order: Order, amount: Money) -> bool:
    """The sale holds after all; False when the fund has given the money to others meanwhile."""
    grant = find_grant(order)
    if grant is None or not awards.spend_again(grant.award.fund, amount):
        return False
    grant.given_back_minor -= amount.minor
    db.session.flush()
    return True
