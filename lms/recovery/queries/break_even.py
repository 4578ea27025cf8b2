"""How many learners a run needs to pay for itself, and how many it has.

break-even learners = fixed cost / (average net price - fee - share - variable cost)

All of it in the currency of the run's price: other currencies are never added. Net price is what
was sold without tax, from the ledger, over those who paid in that currency; the list price until
somebody has. Fee and share are the ledger's where it knows any, else the expected per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.money import Money
from lms.core.settings import settings
from lms.courses.models import CourseRun, PublicationState
from lms.courses.queries.enrolments import seats_by_run
from lms.ledger.accounts import Account
from lms.ledger.queries import movements
from lms.payments.grant_models import OrderGrant
from lms.payments.models import DELIVERED, Order
from lms.payments.seat_models import Seat, SeatBlock
from lms.recovery.models import CostBasis, MoveOffer, RunBudget, RunCost, RunDecision
from lms.recovery.queries.measures import EARNED_IN
from lms.recovery.queries.money import run_product

Key: TypeAlias = tuple[int, str]
SOLD_IN = (Account.DEFERRED, *EARNED_IN)
FEES_IN = (Account.PROCESSOR, Account.DISPUTE_FEE)


@dataclass(frozen=True)
class Position:
    """Where a run stands. paying: who paid in the run's currency; paying_else: in others.

    taken: seats held. other_costs: costs in other currencies, which are not reckoned with.
    """

    run: CourseRun
    budget: RunBudget | None
    fixed: Money
    per_learner: Money
    average: Money
    is_list_price: bool
    fee: Money
    share: Money
    paying: int
    paying_else: int
    taken: int
    other_costs: bool

    @property
    def margin(self) -> Money:
        """What one more learner leaves over."""
        return self.average - self.fee - self.share - self.per_learner

    @property
    def needed(self) -> int | None:
        """Break-even learners; None when no number of them would do."""
        if not self.fixed:
            return 0 if self.margin.minor >= 0 else None
        if self.margin.minor <= 0:
            return None
        return -(-self.fixed.minor // self.margin.minor)

    @property
    def missing(self) -> int | None:
        """How many more must pay; None when no number of them would do."""
        return None if self.needed is None else max(0, self.needed - self.paying)

    @property
    def free(self) -> int | None:
        """Seats still free; None without a limit."""
        return None if self.run.capacity is None else max(0, self.run.capacity - self.taken)

    @property
    def can_reach(self) -> bool:
        """Whether there are seats enough for those who are missing."""
        missing, free = self.missing, self.free
        return missing is not None and (free is None or missing <= free)

    @property
    def result(self) -> Money:
        """What is left of those who paid, the costs taken off."""
        left = self.margin.minor * self.paying - self.fixed.minor
        return Money(left, self.average.currency)


def today() -> date:
    """The present day in the zone of the site."""
    return clock.local_date(clock.now(), settings().default_time_zone)


def list_runs(*, is_open: bool = True) -> Select[*tuple[Any, ...]]:
    """Runs that cost something to take part in, or that have costs or a budget.

    is_open: those still to begin or to be decided on, the next decision first; else all, the
    latest first.
    """
    has_costs = select(RunCost.id).where(RunCost.run_id == CourseRun.id).exists()
    found: Select[*tuple[Any, ...]] = (
        select(CourseRun)
        .outerjoin(RunBudget, RunBudget.run_id == CourseRun.id)
        .options(joinedload(CourseRun.course))
        .where((CourseRun.__table__.c.price_minor > 0) | RunBudget.run_id.is_not(None) | has_costs)
    )
    if is_open:
        return found.where(
            CourseRun.state == PublicationState.PUBLISHED, CourseRun.ends_on >= today()
        ).order_by(
            RunBudget.decided_at.is_not(None),
            RunBudget.decide_on.asc().nulls_last(),
            CourseRun.starts_on,
            CourseRun.id,
        )
    return found.order_by(CourseRun.starts_on.desc(), CourseRun.id.desc())


def waiting_for_decision(until: date | None = None) -> Sequence[RunBudget]:
    """Budgets of published runs whose decision date has come and that nobody decided on."""
    return db.session.scalars(
        select(RunBudget)
        .join(CourseRun, CourseRun.id == RunBudget.run_id)
        .where(
            RunBudget.decide_on <= (until or today()),
            RunBudget.decided_at.is_(None),
            CourseRun.state == PublicationState.PUBLISHED,
        )
        .options(joinedload(RunBudget.run).joinedload(CourseRun.course))
        .order_by(RunBudget.decide_on, RunBudget.run_id)
    ).all()


def positions(runs: Sequence[CourseRun]) -> list[Position]:
    """Where some runs stand, in their order; a fixed number of queries."""
    ids = [run.id for run in runs]
    budgets = {
        row.run_id: row
        for row in db.session.scalars(select(RunBudget).where(RunBudget.run_id.in_(ids)))
    }
    costs: dict[tuple[int, str, str], int] = {
        (run_id, basis, currency): int(minor)
        for run_id, basis, currency, minor in db.session.execute(
            select(RunCost.run_id, RunCost.basis, RunCost.currency, func.sum(RunCost.amount_minor))
            .where(RunCost.run_id.in_(ids))
            .group_by(RunCost.run_id, RunCost.basis, RunCost.currency)
        )
    }
    by_fund = select(OrderGrant.order_id).where(OrderGrant.booked_at.is_not(None))
    given_back = (
        select(SeatBlock.order_id, func.count().label("seats"))
        .join(Seat, Seat.block_id == SeatBlock.id)
        .where(SeatBlock.run_id.in_(ids), Seat.returned_at.is_not(None))
        .group_by(SeatBlock.order_id)
        .subquery()
    )
    paying: dict[Key, int] = {
        (int(run_id or 0), currency): int(count)
        for run_id, currency, count in db.session.execute(
            select(
                Order.run_id,
                Order.currency,
                func.sum(Order.quantity - func.coalesce(given_back.c.seats, 0)),
            )
            .outerjoin(given_back, given_back.c.order_id == Order.id)
            .where(
                Order.run_id.in_(ids),
                Order.state.in_(DELIVERED),
                or_(Order.total_minor > 0, Order.id.in_(by_fund)),
            )
            .group_by(Order.run_id, Order.currency)
        )
    }
    taken = {run_id: seats.taken for run_id, seats in seats_by_run(ids).items()}
    posted = _posted(ids)
    return [_position(run, budgets.get(run.id), costs, paying, taken, posted) for run in runs]


def _posted(ids: Sequence[int]) -> dict[tuple[int, str, str], int]:
    """Run, currency and account: debit less credit, of the accounts that are reckoned with."""
    wanted = [account.value for account in (*SOLD_IN, *FEES_IN, Account.PARTNER_SHARE)]
    lines = movements()
    account = lines.c.account
    rows = db.session.execute(
        select(
            lines.c.product,
            lines.c.currency,
            account,
            func.sum(lines.c.debit_minor - lines.c.credit_minor),
        )
        .where(
            lines.c.product.in_([run_product(id_) for id_ in ids]),
            account.in_(wanted) | account.startswith(f"{Account.PARTNER_SHARE}:"),
        )
        .group_by(lines.c.product, lines.c.currency, account)
    )
    return {
        (int(product.partition(":")[2]), currency, account): int(minor)
        for product, currency, account, minor in rows
    }


def _position(
    run: CourseRun,
    budget: RunBudget | None,
    costs: dict[tuple[int, str, str], int],
    paying: dict[Key, int],
    taken: dict[int, int],
    posted: dict[tuple[int, str, str], int],
) -> Position:
    currency = run.price.currency
    count = paying.get((run.id, currency), 0)
    mine = {
        account: m
        for (id_, code, account), m in posted.items()
        if (id_, code) == (run.id, currency)
    }
    sold = -sum(minor for account, minor in mine.items() if account in SOLD_IN)
    fees = sum(minor for account, minor in mine.items() if account in FEES_IN)
    shares = sum(m for account, m in mine.items() if account.startswith(Account.PARTNER_SHARE))
    is_list_price = not count or sold <= 0
    average = run.price.minor if is_list_price else sold // count
    fee_part = budget.fee_hundredths if budget else 300
    share_part = budget.share_hundredths if budget else 0
    fee = fees // count if count and fees > 0 else -(-average * fee_part // 10_000)
    share = shares // count if count and shares > 0 else -(-average * share_part // 10_000)
    others = {code for (id_, _basis, code) in costs if id_ == run.id} - {currency}
    return Position(
        run=run,
        budget=budget,
        fixed=Money(costs.get((run.id, CostBasis.FIXED, currency), 0), currency),
        per_learner=Money(costs.get((run.id, CostBasis.PER_LEARNER, currency), 0), currency),
        average=Money(average, currency),
        is_list_price=is_list_price,
        fee=Money(fee, currency),
        share=Money(share, currency),
        paying=count,
        paying_else=sum(
            n for (id_, code), n in paying.items() if id_ == run.id and code != currency
        ),
        taken=taken.get(run.id, 0),
        other_costs=bool(others),
    )


def get_run(run_id: int) -> CourseRun:
    """A run. Raises NotFound."""
    run = db.session.get(CourseRun, run_id)
    if run is None:
        raise NotFound
    return run


def get_cost(run_id: int, cost_id: int) -> RunCost:
    """A cost of a run. Raises NotFound."""
    cost = db.session.get(RunCost, cost_id)
    if cost is None or cost.run_id != run_id:
        raise NotFound
    return cost


def costs_of(run: CourseRun) -> Sequence[RunCost]:
    """What a run costs, the latest first."""
    return db.session.scalars(
        select(RunCost)
        .where(RunCost.run_id == run.id)
        .order_by(RunCost.spent_on.desc(), RunCost.id.desc())
    ).all()


def decisions_of(run: CourseRun) -> Sequence[RunDecision]:
    """What was decided about a run, the latest first."""
    return db.session.scalars(
        select(RunDecision).where(RunDecision.run_id == run.id).order_by(RunDecision.id.desc())
    ).all()


def answers_of(decision: RunDecision) -> dict[str | None, int]:
    """How many learners of a moved run answered what; None: not yet."""
    rows = db.session.execute(
        select(MoveOffer.answer, func.count())
        .where(MoveOffer.decision_id == decision.id)
        .group_by(MoveOffer.answer)
    )
    return {row[0]: row[1] for row in rows}


def get_offer(offer_id: int) -> MoveOffer:
    """The question to one learner of a moved run. Raises NotFound."""
    offer = db.session.get(MoveOffer, offer_id)
    if offer is None:
        raise NotFound
    return offer
