"""Reads of what moved at payment services, and of what nobody has explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.payments.gateways.base import MovementKind
from lms.payments.models import Order, Payment
from lms.payments.movement_models import Dispute, GatewayMovement, GatewaySync, MovementState

_ORDER = joinedload(GatewayMovement.payment).joinedload(Payment.order)


def get_movement(movement_id: int) -> GatewayMovement:
    """A movement; raises NotFound."""
    found = db.session.get(GatewayMovement, movement_id)
    if found is None:
        raise NotFound
    return found


def get_movements(ids: Iterable[int]) -> Sequence[GatewayMovement]:
    """Movements by their ids; raises NotFound when one is missing."""
    wanted = set(ids)
    found = db.session.scalars(
        select(GatewayMovement).where(GatewayMovement.id.in_(wanted)).order_by(GatewayMovement.id)
    ).all()
    if len(found) < len(wanted):
        raise NotFound
    return found


def list_gateway_movements(
    state: str = "", kind: str = "", payout: str = ""
) -> Select[GatewayMovement]:
    """Movements, the newest first; open ones the oldest first, as their age counts."""
    newest = (GatewayMovement.happened_at.desc(), GatewayMovement.id.desc())
    oldest = (GatewayMovement.happened_at, GatewayMovement.id)
    statement = select(GatewayMovement).options(_ORDER, joinedload(GatewayMovement.owner))
    for column, value in (
        (GatewayMovement.state, state),
        (GatewayMovement.kind, kind),
        (GatewayMovement.payout, payout),
    ):
        if value:
            statement = statement.where(column == value)
    return statement.order_by(*(oldest if state == MovementState.OPEN else newest))


def unexplained_money() -> list[Money]:
    """The sums of open movements, by currency: the figure whose target is nothing."""
    found = db.session.execute(
        select(GatewayMovement.currency, func.sum(func.abs(GatewayMovement.amount_minor)))
        .where(GatewayMovement.state == MovementState.OPEN)
        .group_by(GatewayMovement.currency)
        .order_by(GatewayMovement.currency)
    )
    return [Money(int(minor), currency) for currency, minor in found]


@dataclass(frozen=True)
class PayoutRow:
    """A payout: what was sent, and what its parts sum to."""

    movement: GatewayMovement
    parts: int
    sum: Money

    @property
    def is_whole(self) -> bool:
        """Whether the parts sum to what was sent; one without known parts is not judged."""
        return self.parts == 0 or not self.sum


def payouts(movements: Sequence[GatewayMovement]) -> list[PayoutRow]:
    """The payouts among these movements with what they are made of."""
    keys = [one.source for one in movements if one.kind == MovementKind.PAYOUT]
    net = GatewayMovement.amount_minor - GatewayMovement.fee_minor
    found = db.session.execute(
        select(GatewayMovement.payout, func.count(), func.sum(net))
        .where(GatewayMovement.payout.in_(keys))
        .group_by(GatewayMovement.payout)
    )
    sums = {payout: (count - 1, int(minor)) for payout, count, minor in found}
    rows = []
    for one in movements:
        if one.kind == MovementKind.PAYOUT:
            parts, minor = sums.get(one.source, (0, 0))
            rows.append(PayoutRow(one, parts, Money(minor, one.currency)))
    return rows


def last_syncs() -> Sequence[GatewaySync]:
    """The last look at each payment service."""
    newest = select(func.max(GatewaySync.id)).group_by(GatewaySync.gateway)
    return db.session.scalars(
        select(GatewaySync).where(GatewaySync.id.in_(newest)).order_by(GatewaySync.gateway)
    ).all()


def list_disputes() -> Select[Dispute]:
    """Disputes, open ones first, then the newest."""
    return (
        select(Dispute)
        .options(
            joinedload(Dispute.payment)
            .joinedload(Payment.order)
            .options(joinedload(Order.user), joinedload(Order.run).joinedload(CourseRun.course))
        )
        .order_by(Dispute.closed_at.is_not(None), Dispute.opened_at.desc(), Dispute.id.desc())
    )
